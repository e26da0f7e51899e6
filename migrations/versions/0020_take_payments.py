"""Take payments: payees, payments, refunds, disputes, payouts, what gateways tell, the ledger, the test bank."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

PAYMENT_STATES = "('created', 'open', 'authorised', 'paid', 'failed', 'cancelled', 'expired')"
PAYEE_STATES = "('onboarding', 'restricted', 'enabled', 'disabled')"
ACCOUNTS = (
    "('payer', 'gateway', 'bank', 'supplier', 'income', 'vat', 'city_fee', 'gateway_fee', 'kept_fee', 'refunds',"
    " 'invoices', 'on_the_spot', 'disputed')"
)
JSONB = postgresql.JSONB()
TEXTS = postgresql.ARRAY(sa.TEXT())


def instant(name: str, *, default: bool = False, nullable: bool = True) -> sa.Column:
    return sa.Column(
        name,
        sa.TIMESTAMP(timezone=True),
        server_default=sa.text("now()") if default else None,
        nullable=nullable and not default,
    )


def minor(name: str, *, nullable: bool = False, zero: bool = False) -> sa.Column:
    return sa.Column(
        name, sa.BigInteger(), server_default=sa.text("'0'") if zero else None, nullable=nullable
    )


def words(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column:
    return sa.Column(name, sa.String(), server_default=default, nullable=nullable)


def of_city(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["city_id", column],
        [f"{target}.city_id", f"{target}.id"],
        name=op.f(f"fk_{table}_city_id_{column}"),
        ondelete=ondelete,
    )


def check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def city_table(name: str, *columns: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f(f"fk_{name}_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f(f"pk_{name}")),
    )


def plain_table(name: str, *columns: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )


def index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def create_payments() -> None:
    city_table(
        "payee",
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        words("gateway"),
        words("external_id", nullable=True),
        words("state", default="onboarding"),
        sa.Column("requirements", TEXTS, server_default="{}", nullable=False),
        instant("created_at", default=True),
        instant("changed_at", default=True),
        instant("checked_at"),
        check("payee", "state", f"state IN {PAYEE_STATES}"),
        unique("payee", "city_id", "organisation_id", "gateway"),
        unique("payee", "gateway", "external_id"),
        of_city("payee", "organisation_id", "organisation"),
    )
    city_table(
        "payment",
        words("reference"),
        sa.Column("payer_person_id", sa.BigInteger(), nullable=True),
        sa.Column("payee_organisation_id", sa.BigInteger(), nullable=True),
        minor("amount_minor"),
        words("currency"),
        minor("fee_minor", zero=True),
        words("capture", default="automatic"),
        words("state", default="created"),
        words("wish", nullable=True),
        minor("capture_minor", nullable=True),
        minor("captured_minor", zero=True),
        minor("refunded_minor", zero=True),
        minor("gateway_fee_minor", nullable=True),
        words("gateway"),
        words("session_external_id", nullable=True),
        words("intent_external_id", nullable=True),
        words("url", nullable=True),
        sa.Column("lines", JSONB, server_default="[]", nullable=False),
        words("language"),
        words("return_path"),
        instant("expires_at", nullable=False),
        words("failure_code", nullable=True),
        words("key"),
        instant("created_at", default=True),
        instant("changed_at", default=True),
        instant("checked_at"),
        instant("paid_at"),
        check("payment", "state", f"state IN {PAYMENT_STATES}"),
        check("payment", "capture", "capture IN ('automatic', 'manual')"),
        check("payment", "wish", "wish IN ('capture', 'cancel')"),
        check("payment", "amount", "amount_minor > 0"),
        check("payment", "fee", "fee_minor BETWEEN 0 AND amount_minor"),
        check("payment", "captured", "captured_minor BETWEEN 0 AND amount_minor"),
        check("payment", "captured_when_paid", "(captured_minor > 0) = (state = 'paid')"),
        check("payment", "refunded", "refunded_minor BETWEEN 0 AND captured_minor"),
        check("payment", "return_path", "return_path LIKE '/%' AND return_path NOT LIKE '//%'"),
        unique("payment", "city_id", "key"),
        unique("payment", "gateway", "session_external_id"),
        unique("payment", "gateway", "intent_external_id"),
        of_city("payment", "payee_organisation_id", "organisation"),
        of_city("payment", "payer_person_id", "person", "SET NULL (payer_person_id)"),
    )
    index("payment", "city_id", "reference")
    index("payment", "city_id", "payer_person_id")
    index("payment", "city_id", "payee_organisation_id")
    op.create_index(
        "ix_payment_undecided",
        "payment",
        ["created_at"],
        postgresql_where=sa.text(
            "state IN ('created', 'open', 'authorised') OR state = 'paid' AND gateway_fee_minor IS NULL"
        ),
    )
    city_table(
        "refund",
        sa.Column("payment_id", sa.BigInteger(), nullable=False),
        minor("amount_minor"),
        minor("fee_minor", zero=True),
        words("state", default="requested"),
        words("external_id", nullable=True),
        words("key"),
        words("reason"),
        words("failure_code", nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("'0'"), nullable=False),
        instant("created_at", default=True),
        instant("changed_at", default=True),
        instant("checked_at"),
        check("refund", "state", "state IN ('requested', 'sent', 'succeeded', 'failed')"),
        check("refund", "amount", "amount_minor > 0"),
        check("refund", "fee", "fee_minor BETWEEN 0 AND amount_minor"),
        unique("refund", "city_id", "key"),
        unique("refund", "city_id", "payment_id", "external_id"),
        of_city("refund", "payment_id", "payment"),
    )
    index("refund", "city_id", "payment_id")
    op.create_index(
        "ix_refund_undecided",
        "refund",
        ["created_at"],
        postgresql_where=sa.text("state IN ('requested', 'sent')"),
    )
    city_table(
        "dispute",
        sa.Column("payment_id", sa.BigInteger(), nullable=False),
        words("external_id"),
        minor("amount_minor"),
        words("state"),
        words("reason"),
        instant("opened_at", nullable=False),
        instant("closed_at"),
        check("dispute", "state", "state IN ('warning', 'open', 'won', 'lost')"),
        check("dispute", "amount", "amount_minor > 0"),
        unique("dispute", "city_id", "payment_id", "external_id"),
        of_city("dispute", "payment_id", "payment"),
    )
    city_table(
        "payout",
        sa.Column("payee_id", sa.BigInteger(), nullable=False),
        words("external_id"),
        minor("amount_minor"),
        words("currency"),
        words("state"),
        sa.Column("arrives_on", sa.Date(), nullable=False),
        check("payout", "state", "state IN ('pending', 'in_transit', 'paid', 'failed', 'cancelled')"),
        unique("payout", "city_id", "payee_id", "external_id"),
        of_city("payout", "payee_id", "payee"),
    )
    plain_table(
        "gateway_event",
        words("gateway"),
        words("external_id"),
        words("account", default=""),
        words("kind"),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("payload", JSONB, nullable=False),
        instant("received_at", default=True),
        instant("processed_at"),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("'0'"), nullable=False),
        words("problem", nullable=True),
        unique("gateway_event", "gateway", "external_id"),
    )
    op.create_index(
        "ix_gateway_event_waiting",
        "gateway_event",
        ["received_at"],
        postgresql_where=sa.text("processed_at IS NULL"),
    )


def create_ledger() -> None:
    city_table(
        "ledger_entry",
        words("kind"),
        words("currency"),
        words("reference"),
        words("key"),
        instant("at", nullable=False),
        sa.Column("about", JSONB, server_default="{}", nullable=False),
        unique("ledger_entry", "city_id", "key"),
    )
    index("ledger_entry", "city_id", "reference")
    op.create_table(
        "ledger_line",
        sa.Column("city_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        words("account"),
        sa.Column("party_id", sa.BigInteger(), nullable=True),
        sa.Column("vat_basis_points", sa.Integer(), nullable=True),
        minor("amount_minor"),
        check("ledger_line", "account", f"account IN {ACCOUNTS}"),
        check("ledger_line", "amount", "amount_minor <> 0"),
        check("ledger_line", "vat", "(account = 'vat') = (vat_basis_points IS NOT NULL)"),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_ledger_line_city_id")),
        of_city("ledger_line", "entry_id", "ledger_entry"),
        of_city("ledger_line", "party_id", "organisation"),
        sa.PrimaryKeyConstraint("city_id", "entry_id", "position", name=op.f("pk_ledger_line")),
    )
    index("ledger_line", "city_id", "account", "party_id")


# Deferred, since an entry and its lines come one after the other. An entry without lines is refused as well.
BALANCE = """
    CREATE FUNCTION ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        subject bigint;
        lines bigint;
        total numeric;
    BEGIN
        IF TG_TABLE_NAME = 'ledger_entry' THEN
            subject := NEW.id;
        ELSE
            subject := NEW.entry_id;
        END IF;
        SELECT count(*), coalesce(sum(amount_minor), 0) INTO lines, total
            FROM ledger_line WHERE city_id = NEW.city_id AND entry_id = subject;
        IF lines < 2 OR total <> 0 THEN
            RAISE EXCEPTION 'ledger entry % of city % has % lines that sum to %', subject, NEW.city_id, lines, total
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balances';
        END IF;
        RETURN NULL;
    END $$
"""
KEEP = """
    CREATE FUNCTION ledger_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% of % is refused: what was posted stays, a mistake is put right by another entry',
            TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation', CONSTRAINT = 'ledger_only_grows';
    END $$
"""


def guard_ledger() -> None:
    op.execute(BALANCE)
    op.execute(KEEP)
    for table in ("ledger_entry", "ledger_line"):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER ledger_balances AFTER INSERT ON {table}"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balances()"
        )
        op.execute(
            f"CREATE TRIGGER ledger_only_grows BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION ledger_only_grows()"
        )
        op.execute(
            f"CREATE TRIGGER ledger_is_not_emptied BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_grows()"
        )


def create_test_bank() -> None:
    plain_table(
        "test_bank_session",
        words("external_id"),
        words("intent_external_id"),
        words("key"),
        words("account", nullable=True),
        words("title"),
        minor("amount_minor"),
        words("currency"),
        minor("fee_minor"),
        words("capture"),
        words("state"),
        minor("captured_minor", zero=True),
        minor("refunded_minor", zero=True),
        words("failure_code", nullable=True),
        sa.Column("lines", JSONB, nullable=False),
        words("return_path"),
        instant("expires_at", nullable=False),
        instant("captured_at"),
        check("test_bank_session", "state", f"state IN {PAYMENT_STATES}"),
        check("test_bank_session", "refunded", "refunded_minor BETWEEN 0 AND captured_minor"),
        unique("test_bank_session", "external_id"),
        unique("test_bank_session", "key"),
    )
    index("test_bank_session", "account")
    plain_table(
        "test_bank_refund",
        words("external_id"),
        words("key"),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        minor("amount_minor"),
        minor("fee_minor"),
        instant("at", nullable=False),
        unique("test_bank_refund", "external_id"),
        unique("test_bank_refund", "key"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["test_bank_session.id"], name=op.f("fk_test_bank_refund_session_id")
        ),
    )
    plain_table(
        "test_bank_account",
        words("external_id"),
        words("key"),
        words("name"),
        words("state"),
        sa.Column("requirements", TEXTS, server_default="{}", nullable=False),
        check("test_bank_account", "state", f"state IN {PAYEE_STATES}"),
        unique("test_bank_account", "external_id"),
        unique("test_bank_account", "key"),
    )


def upgrade() -> None:
    create_payments()
    create_ledger()
    guard_ledger()
    create_test_bank()


def downgrade() -> None:
    for name in (
        "test_bank_account",
        "test_bank_refund",
        "test_bank_session",
        "ledger_line",
        "ledger_entry",
        "gateway_event",
        "payout",
        "dispute",
        "refund",
        "payment",
        "payee",
    ):
        op.drop_table(name)
    op.execute("DROP FUNCTION ledger_balances, ledger_only_grows")
