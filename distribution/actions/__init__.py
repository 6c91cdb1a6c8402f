from distribution.actions.address import correct_address, send_again
from distribution.actions.distribute import distribute, undo
from distribution.actions.distribute_list import distribute_group, distribute_list
from distribution.actions.forward import forward, reclaim_from
from distribution.actions.hand_over import hand_over
from distribution.actions.import_members import import_members
from distribution.actions.import_tickets import import_tickets
from distribution.actions.member import give_back, print_mine, rename
from distribution.actions.members import leave, merge, put_back
from distribution.actions.my_data import ask_erasure, call_off_erasure, erase_now
from distribution.actions.printing import print_act, print_for_members
from distribution.actions.printouts import cancel_printout, check_files, render_at_once
from distribution.actions.reassign import reassign
from distribution.actions.reclaim import reclaim
from distribution.actions.remind import remind, remind_relays, remind_relays_now
from distribution.actions.stranded import take_back_stranded

__all__ = [
    "ask_erasure",
    "call_off_erasure",
    "cancel_printout",
    "check_files",
    "correct_address",
    "distribute",
    "distribute_group",
    "distribute_list",
    "erase_now",
    "forward",
    "give_back",
    "hand_over",
    "import_members",
    "import_tickets",
    "leave",
    "merge",
    "print_act",
    "print_for_members",
    "print_mine",
    "put_back",
    "reassign",
    "reclaim",
    "reclaim_from",
    "remind",
    "remind_relays",
    "remind_relays_now",
    "rename",
    "render_at_once",
    "send_again",
    "take_back_stranded",
    "undo",
]
