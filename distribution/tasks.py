from celery import shared_task


@shared_task(ignore_result=True)
def remind_relays() -> None:
    from distribution import actions

    actions.remind_relays()


@shared_task(ignore_result=True)
def render_printouts() -> None:
    """One file, then back to the queue: between two of them emails leave."""
    from distribution.actions import printouts

    if printouts.render_next():
        printouts.ring()


@shared_task(ignore_result=True)
def sweep_printouts() -> None:
    from distribution.actions import printouts

    printouts.drop_old_files()
    if printouts.render_next():
        printouts.ring()
