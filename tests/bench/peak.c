/* altclip: what the cores multiply when nothing else holds them up
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     cc -O2 -pthread -o peak peak.c
 *     peak f32|int8 THREADS MILLISECONDS wall|cpu
 *
 * Prints how many billions of operations a second the threads do together, a multiplication and an
 * addition each counting as one, with the widest of the instructions that engine/kernels_*.c use
 * and this CPU has. Operands are in registers and nothing comes from memory.
 */

#include <immintrin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Independent sums: two instructions may begin in a cycle, and each takes 4 or 5. */
#define SUMS 12

#define REPETITIONS 20000

/* Each step, once for each of the sums; @x and @sum are opaque, lest the compiler take a step out
 * of the loop or leave it out. */
#define DEFINE_LOOP(name, instructions, vector, step)                                             \
    __attribute__ ((target (instructions))) static void run_##name (void)                         \
    {                                                                                             \
        vector sums[SUMS];                                                                        \
        vector x;                                                                                 \
                                                                                                  \
        memset (sums, 0, sizeof sums);                                                            \
        memset (&x, 0, sizeof x);                                                                 \
        for (int repetition = 0; repetition < REPETITIONS; repetition++) {                        \
            __asm__ volatile("" : "+v"(x));                                                       \
            _Pragma ("GCC unroll 12") for (int i = 0; i < SUMS; i++) sums[i] = step (x, sums[i]); \
        }                                                                                         \
        _Pragma ("GCC unroll 12") for (int i = 0; i < SUMS; i++) __asm__ volatile(                \
                "" ::"v"(sums[i]));                                                               \
    }

#define FMA_256(x, sum) _mm256_fmadd_ps (x, x, sum)
#define FMA_512(x, sum) _mm512_fmadd_ps (x, x, sum)
#define DOT_512(x, sum) _mm512_dpbusd_epi32 (sum, x, x)

/* What kernels_int8_avx2.c adds a word of each lane with, but for the signs. */
#define DOT_256(x, sum) _mm256_add_epi32 (sum, _mm256_madd_epi16 (_mm256_maddubs_epi16 (x, sum), x))

DEFINE_LOOP (fma_256, "avx2,fma", __m256, FMA_256)
DEFINE_LOOP (fma_512, "avx512f", __m512, FMA_512)
DEFINE_LOOP (dot_256, "avx2", __m256i, DOT_256)
DEFINE_LOOP (dot_512, "avx512f,avx512vnni", __m512i, DOT_512)

typedef struct {
    void (*run) (void);
    int operations; /* of a step */
} Loop;

static Loop
choose (const char *precision)
{
    if (strcmp (precision, "f32") == 0)
        return __builtin_cpu_supports ("avx512f") ? (Loop){ run_fma_512, 32 }
                                                  : (Loop){ run_fma_256, 16 };
    return __builtin_cpu_supports ("avx512vnni") ? (Loop){ run_dot_512, 128 }
                                                 : (Loop){ run_dot_256, 64 };
}

static double
read_clock (clockid_t clock)
{
    struct timespec time;

    clock_gettime (clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

typedef struct {
    Loop loop;
    clockid_t clock;
    double seconds;
    double rate;
} Share;

static void *
measure (void *data)
{
    Share *share = data;
    double begin = read_clock (share->clock);
    double passed;
    long n = 0;

    do {
        share->loop.run ();
        n++;
        passed = read_clock (share->clock) - begin;
    } while (passed < share->seconds);
    share->rate = (double)n * REPETITIONS * SUMS * share->loop.operations / passed * 1e-9;
    return NULL;
}

int
main (int argc, char **argv)
{
    clockid_t clock;
    int n_threads = argc == 5 ? atoi (argv[2]) : 0;
    pthread_t *threads;
    Share *shares;
    double sum = 0.0;

    if (n_threads < 1 || (strcmp (argv[1], "f32") != 0 && strcmp (argv[1], "int8") != 0)) {
        fprintf (stderr, "peak f32|int8 THREADS MILLISECONDS wall|cpu\n");
        return 2;
    }
    if (!__builtin_cpu_supports ("avx2") || !__builtin_cpu_supports ("fma")) {
        fprintf (stderr, "peak: this CPU has no AVX2 with FMA\n");
        return 1;
    }
    clock = strcmp (argv[4], "cpu") == 0 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
    threads = calloc ((size_t)n_threads, sizeof *threads);
    shares = calloc ((size_t)n_threads, sizeof *shares);
    for (int i = 0; i < n_threads; i++) {
        shares[i] = (Share){ choose (argv[1]), clock, atoi (argv[3]) * 1e-3, 0.0 };
        if (pthread_create (&threads[i], NULL, measure, &shares[i]) != 0)
            return 1;
    }
    for (int i = 0; i < n_threads; i++) {
        pthread_join (threads[i], NULL);
        sum += shares[i].rate;
    }
    printf ("%.1f\n", sum);
    free (threads);
    free (shares);
    return 0;
}
