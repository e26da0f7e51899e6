"""What can be refused about organisations and memberships."""

from marketplace.errors import N_, Conflict, Forbidden


class NotVerified(Forbidden):
    code = "address-not-confirmed"
    title = N_("Confirm your e-mail address first.")


class LastManager(Conflict):
    code = "last-manager"
    title = N_("An organisation needs a manager. Make someone else a manager first.")


class InvitationGone(Conflict):
    code = "invitation-gone"
    title = N_("This invitation is no longer open.")


class MemberGone(Conflict):
    code = "member-gone"
    title = N_("This person is no longer a member.")
