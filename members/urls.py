from django.urls import path

from members.views import exchange, groups, people

app_name = "members"
MEMBERS = "c/<uuid:company_id>/members/"

urlpatterns = [
    path(MEMBERS, people.people, name="people"),
    path(f"{MEMBERS}add/", people.add, name="add"),
    path(f"{MEMBERS}members.csv", exchange.export, name="export"),
    path(f"{MEMBERS}groups/", groups.groups, name="groups"),
    path(f"{MEMBERS}groups/fill/", groups.fill_group, name="fill_group"),
    path(f"{MEMBERS}groups/<uuid:group_id>/", groups.group, name="group"),
    path(f"{MEMBERS}groups/<uuid:group_id>/delete/", groups.delete_group, name="delete_group"),
    path(f"{MEMBERS}<uuid:member_id>/edit/", people.edit, name="edit"),
]
