from django.urls import path

from distribution.views import (
    acts,
    distribute,
    distribute_group,
    distribute_list,
    forward,
    import_members,
    member,
    members,
    merge,
    printing,
    product,
    reassign,
    reclaim,
    remind,
    tickets,
)
from distribution.views.home import history, home

app_name = "distribution"
COMPANY = "c/<uuid:company_id>/"
PRODUCT = f"{COMPANY}products/<uuid:product_id>/"
MEMBER = f"{COMPANY}members/<uuid:member_id>/"

urlpatterns = [
    path(COMPANY, home, name="home"),
    path(f"{COMPANY}history/", history, name="history"),
    path(PRODUCT, product.product, name="product"),
    path(f"{PRODUCT}distribute/", distribute.distribute, name="distribute"),
    path(f"{PRODUCT}distribute/people/", distribute.people, name="people"),
    path(f"{PRODUCT}distribute/list/", distribute_list.distribute_list, name="distribute_list"),
    path(f"{PRODUCT}distribute/group/", distribute_group.distribute_group, name="distribute_group"),
    path(f"{PRODUCT}hand-over/", acts.hand_over, name="hand_over"),
    path(f"{PRODUCT}forward/", forward.forward, name="forward"),
    path(f"{PRODUCT}reclaim-from/<uuid:other_id>/", forward.reclaim_from, name="reclaim_from"),
    path(f"{PRODUCT}reclaim/", reclaim.reclaim, name="reclaim"),
    path(f"{PRODUCT}reassign/", reassign.reassign, name="reassign"),
    path(f"{PRODUCT}remind/", remind.remind, name="remind"),
    path(f"{COMPANY}members/<uuid:member_id>/reclaim/", reclaim.reclaim_from_member, name="reclaim_from_member"),
    path(f"{COMPANY}distributions/<uuid:distribution_id>/reclaim/", reclaim.reclaim_act, name="reclaim_act"),
    path(f"{PRODUCT}tickets/", tickets.tickets, name="tickets"),
    path(f"{PRODUCT}print/", printing.print_for_members, name="print_for_members"),
    path(f"{COMPANY}tickets/<uuid:ticket_id>/", tickets.ticket, name="ticket"),
    path(f"{COMPANY}distributions/<uuid:distribution_id>/", acts.distribution, name="distribution"),
    path(f"{COMPANY}distributions/<uuid:distribution_id>/undo/", acts.undo, name="undo"),
    path(f"{COMPANY}distributions/<uuid:distribution_id>/tickets.pdf", printing.handed_over, name="handed_over"),
    path(f"{COMPANY}recipients/<uuid:recipient_id>/send-again/", product.send_again, name="send_again"),
    path(f"{PRODUCT}members/<uuid:member_id>/correct-address/", members.correct_address, name="correct_address"),
    path(f"{COMPANY}members/import/", import_members.import_members, name="import_members"),
    path(f"{COMPANY}members/duplicates/", merge.duplicates, name="duplicates"),
    path(MEMBER, members.member, name="member"),
    path(f"{MEMBER}address/", members.correct_address, name="address"),
    path(f"{MEMBER}leave/", members.leave, name="leave"),
    path(f"{MEMBER}put-back/", members.put_back, name="put_back"),
    path(f"{MEMBER}merge/", merge.choose, name="choose_duplicate"),
    path(f"{MEMBER}merge/<uuid:duplicate_id>/", merge.merge, name="merge"),
    path("my/", member.my_tickets, name="my_tickets"),
    path("my/tickets/<uuid:ticket_id>/name/", member.name, name="name"),
    path("my/tickets/<uuid:ticket_id>/give-back/", member.give_back, name="give_back"),
    path("my/tickets/<uuid:ticket_id>/show/", member.show, name="show"),
    path("my/print/", member.print_mine, name="print_mine"),
    path("my/events/<uuid:event_id>/calendar.ics", member.calendar, name="calendar"),
    path("my/offers/", member.offers, name="offers"),
]
