"""The worker process and the operator's commands for the queue."""

import asyncio
import logging
from collections.abc import Sequence

import click
import procrastinate
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import text

from marketplace.db import transaction
from marketplace.jobs.periodic import PeriodicJob
from marketplace.jobs.queue import queue
from marketplace.jobs.runner import application

log = logging.getLogger(__name__)


def register_periodic(jobs: Sequence[PeriodicJob]) -> None:
    """Make each periodic job a task of the queue."""
    for job in jobs:
        if job.name in queue.tasks:
            continue

        def run(timestamp: int, job: PeriodicJob = job) -> None:
            with application():
                job.run()

        task = queue.task(name=job.name, queue="periodic", queueing_lock=job.name)(run)
        queue.periodic(cron=job.cron)(task)


@click.command("worker")
@click.option("--concurrency", default=4, show_default=True, help="Jobs at a time.")
def worker_command(concurrency: int) -> None:
    """Run jobs until stopped by SIGINT or SIGTERM."""
    url = current_app.config["DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://", 1)
    connector = procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=concurrency + 2)

    async def work() -> None:
        with queue.replace_connector(connector) as app:
            async with app.open_async():
                await app.run_worker_async(
                    concurrency=concurrency, delete_jobs="successful", fetch_job_polling_interval=5.0
                )

    asyncio.run(work())


jobs_group = AppGroup("jobs", help="Look at and retry background jobs.")


@jobs_group.command("failed")
def list_failed() -> None:
    """List jobs that ran out of retries."""
    with transaction() as session:
        rows = session.execute(
            text(
                "SELECT id, task_name, args, attempts FROM procrastinate_jobs WHERE status = 'failed' ORDER BY id"
            )
        )
        for row in rows:
            click.echo(f"{row.id}\t{row.task_name}\t{row.attempts} attempts\t{row.args}")


@jobs_group.command("retry")
@click.argument("job_id", type=int)
def retry_failed(job_id: int) -> None:
    """Put a failed job back in the queue."""
    with transaction() as session:
        found = session.scalar(
            text("SELECT 1 FROM procrastinate_jobs WHERE id = :id AND status = 'failed'"), {"id": job_id}
        )
        if not found:
            raise click.ClickException(f"There is no failed job {job_id}.")
        session.execute(
            text("SELECT procrastinate_retry_job_v2(:id, now(), NULL, NULL, NULL)"), {"id": job_id}
        )
