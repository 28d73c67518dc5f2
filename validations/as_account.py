"""Do something as another user, in a process of its own: what root may do proves nothing about anybody else."""

from __future__ import annotations

import multiprocessing
import os
import pwd
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

SECONDS = 120.0
OTHER = pwd.getpwnam("nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
"""A user without rights: nobody, or ourselves where we are not root."""

Result = TypeVar("Result")


def as_account(account: pwd.struct_passwd, act: Callable[..., Result], *arguments: object) -> Result:
    """Call a module's function in a forked process of this user; what it raises is raised here."""
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, mp_context=context, initializer=_become, initargs=(account,)) as pool:
        return pool.submit(act, *arguments).result(timeout=SECONDS)


def _become(account: pwd.struct_passwd) -> None:
    if os.geteuid() != account.pw_uid:
        os.setgroups([])
        os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
        os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
