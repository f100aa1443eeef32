/* altclip: runs a command that may use AMX, on the emulated CPU of tests/on-emulated-cpu
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     with-tiles COMMAND [ARGUMENT…]
 *
 * Linux gives a process AMX's tile registers only where the CPU can withhold them (XFD), and the
 * emulated one has AMX but not that. So this switches them on behind the kernel's back, which only
 * one who owns the whole machine may do: it enters the kernel's privileges through the address that
 * system calls go to, and sets the bits of XCR0. The kernel then neither saves nor clears the
 * registers when it switches between threads; a thread that is scheduled first in, first out keeps
 * them until it waits. That the command's request for them succeeds is told by a filter.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What tests/on-emulated-cpu gives its kernel: no other machine is to be touched. */
#define MARK "altclip.emulated"

#define MSR_LSTAR 0xc0000082      /* where system calls go to */
#define XCR0_TILES 0x60000        /* their shapes and their data */
#define REQUEST_PERMISSION 0x1023 /* ARCH_REQ_XCOMP_PERM */

static void
fail (const char *what)
{
    fprintf (stderr, "with-tiles: %s: %s\n", what, strerror (errno));
    exit (EXIT_FAILURE);
}

static void
check_machine (void)
{
    char line[4096] = "";
    FILE *file = fopen ("/proc/cmdline", "r");

    if (!file || !fgets (line, sizeof line, file) || !strstr (line, MARK)) {
        fputs ("with-tiles: this is not the machine of tests/on-emulated-cpu\n", stderr);
        exit (EXIT_FAILURE);
    }
    fclose (file);
}

/* Entered by a system call: the address to return to is in rcx, the flags are in r11, and
 * interrupts are off. Puts the kernel's own address, in r9, back before it returns. */
void enter_privileged (void);
__asm__(".text\n"
        "enter_privileged:\n"
        "    mov %rcx, %r8\n"
        "    xor %ecx, %ecx\n"
        "    xgetbv\n"
        "    or $0x60000, %eax\n"
        "    xsetbv\n"
        "    mov $0xc0000082, %ecx\n"
        "    mov %r9, %rdx\n"
        "    mov %r9d, %eax\n"
        "    shr $32, %rdx\n"
        "    wrmsr\n"
        "    mov %r8, %rcx\n"
        "    sysretq\n");

static uint64_t
read_xcr0 (void)
{
    uint32_t low;
    uint32_t high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static void
switch_tiles_on (void)
{
    uint64_t entry = (uintptr_t)enter_privileged;
    uint64_t kernel_entry;
    uint64_t number = 0;
    register uint64_t r9 __asm__("r9");
    int fd = open ("/dev/cpu/0/msr", O_RDWR);

    if (fd < 0 || pread (fd, &kernel_entry, sizeof kernel_entry, MSR_LSTAR) != sizeof kernel_entry)
        fail ("cannot read where system calls go to");
    /* It must be in memory: nobody would handle a fault. */
    (void)*(volatile const uint8_t *)entry;
    if (pwrite (fd, &entry, sizeof entry, MSR_LSTAR) != sizeof entry)
        fail ("cannot change where system calls go to");
    r9 = kernel_entry;
    __asm__ volatile("syscall" : "+a"(number), "+r"(r9) : : "rcx", "rdx", "r8", "r11", "memory");
    close (fd);
    if ((read_xcr0 () & XCR0_TILES) != XCR0_TILES) {
        errno = ENOTSUP;
        fail ("the tiles are still off");
    }
}

static void
keep_cpu (void)
{
    const struct sched_param first = { .sched_priority = 1 };

    if (sched_setscheduler (0, SCHED_FIFO, &first) != 0)
        fail ("cannot be scheduled first in, first out");
}

static void
grant_tiles (void)
{
    struct sock_filter steps[] = {
        BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
        BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_arch_prctl, 0, 3),
        BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, args[0])),
        BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, REQUEST_PERMISSION, 0, 1),
        BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0),
        BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = { sizeof steps / sizeof *steps, steps };

    if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
            prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        fail ("cannot filter system calls");
}

int
main (int argc, char **argv)
{
    if (argc < 2) {
        fputs ("usage: with-tiles COMMAND [ARGUMENT...]\n", stderr);
        return 2;
    }
    check_machine ();
    keep_cpu ();
    switch_tiles_on ();
    grant_tiles ();
    execv (argv[1], argv + 1);
    fail (argv[1]);
}
