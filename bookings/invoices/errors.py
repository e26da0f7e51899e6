"""What can be refused about invoices."""

from marketplace.errors import N_, Conflict, Forbidden, NotFound


class InvoiceNotFound(NotFound):
    code = "invoice-not-found"
    title = N_("We did not find this invoice.")


class NotYourInvoices(Forbidden):
    code = "not-your-invoices"
    title = N_("Only the organisation’s managers and the city’s staff decide about its invoices.")


class SellerMissing(Conflict):
    code = "invoice-seller-missing"
    title = N_("Nothing is invoiced before the seller’s details are there.")


class TermsMissing(Conflict):
    code = "invoice-terms-missing"
    title = N_("Nothing is invoiced before the organisation has given its billing address.")


class NothingToCredit(Conflict):
    code = "nothing-to-credit"
    title = N_("There is no more to credit on this invoice than it has left.")


class CreditedMeanwhile(Conflict):
    code = "credited-meanwhile"
    title = N_("Something was credited on this invoice meanwhile. Here is how it is now.")
