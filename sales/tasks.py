from celery import shared_task


@shared_task(ignore_result=True)
def end_lapsed_options() -> None:
    from sales import actions

    actions.end_lapsed_options()


@shared_task(ignore_result=True)
def issue_due_invoices() -> None:
    from sales import actions

    actions.issue_due_invoices()


@shared_task(ignore_result=True)
def issue_paid_orders() -> None:
    from sales import actions

    actions.issue_paid_orders()
