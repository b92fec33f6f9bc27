#include "wiced_rtos.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "testing/c_program.h"
#include "wiced_time.h"

namespace {

using Clock = std::chrono::steady_clock;

std::int64_t elapsed_ms(Clock::time_point since) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - since).count();
}

TEST(Semaphore, StartsEmptyAndTimesOutWith2) {
    wiced_semaphore_t semaphore;
    ASSERT_EQ(wiced_rtos_init_semaphore(&semaphore), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_get_semaphore(&semaphore, WICED_NO_WAIT), 2);
    const auto began = Clock::now();
    EXPECT_EQ(wiced_rtos_get_semaphore(&semaphore, 30), 2);
    EXPECT_GE(elapsed_ms(began), 30);
}

TEST(Semaphore, CountsEverySet) {
    wiced_semaphore_t semaphore;
    wiced_rtos_init_semaphore(&semaphore);
    for (int i = 0; i < 3; ++i) {
        wiced_rtos_set_semaphore(&semaphore);
    }
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(wiced_rtos_get_semaphore(&semaphore, WICED_NO_WAIT), WICED_SUCCESS);
    }
    EXPECT_EQ(wiced_rtos_get_semaphore(&semaphore, WICED_NO_WAIT), WICED_TIMEOUT);
}

TEST(Semaphore, SetWakesOneWaiter) {
    wiced_semaphore_t semaphore;
    wiced_rtos_init_semaphore(&semaphore);
    std::thread setter([&] { wiced_rtos_set_semaphore(&semaphore); });
    EXPECT_EQ(wiced_rtos_get_semaphore(&semaphore, 5000), WICED_SUCCESS);
    setter.join();
}

TEST(Mutex, IsRecursiveAndOnlyItsOwnerMayUnlock) {
    wiced_mutex_t mutex;
    wiced_rtos_init_mutex(&mutex);
    EXPECT_EQ(wiced_rtos_lock_mutex(&mutex), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_lock_mutex(&mutex), WICED_SUCCESS);
    wiced_result_t elsewhere = WICED_SUCCESS;
    std::thread([&] { elsewhere = wiced_rtos_unlock_mutex(&mutex); }).join();
    EXPECT_EQ(elsewhere, WICED_ERROR);
    EXPECT_EQ(wiced_rtos_unlock_mutex(&mutex), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_unlock_mutex(&mutex), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_unlock_mutex(&mutex), WICED_ERROR);
}

TEST(Queue, MessageSizesAreMultiplesOfFour) {
    wiced_queue_t queue;
    EXPECT_EQ(wiced_rtos_init_queue(&queue, "q", 6, 2), WICED_ERROR);
    EXPECT_EQ(wiced_rtos_init_queue(&queue, nullptr, 8, 2), WICED_SUCCESS);
    wiced_rtos_deinit_queue(&queue);
}

TEST(Queue, FullGives1032AndEmptyGives2) {
    wiced_queue_t queue;
    std::uint32_t message = 1;
    ASSERT_EQ(wiced_rtos_init_queue(&queue, "q", 4, 2), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_is_queue_empty(&queue), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_pop_from_queue(&queue, &message, 10), 2);
    EXPECT_EQ(wiced_rtos_push_to_queue(&queue, &message, WICED_NO_WAIT), WICED_SUCCESS);
    message = 2;
    EXPECT_EQ(wiced_rtos_push_to_queue(&queue, &message, WICED_NO_WAIT), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_is_queue_full(&queue), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_is_queue_empty(&queue), WICED_ERROR);
    EXPECT_EQ(wiced_rtos_push_to_queue(&queue, &message, 10), 1032);
    std::uint32_t count = 0;
    EXPECT_EQ(wiced_rtos_get_queue_occupancy(&queue, &count), WICED_SUCCESS);
    EXPECT_EQ(count, 2u);
    EXPECT_EQ(wiced_rtos_pop_from_queue(&queue, &message, WICED_NO_WAIT), WICED_SUCCESS);
    EXPECT_EQ(message, 1u);
    EXPECT_EQ(wiced_rtos_pop_from_queue(&queue, &message, WICED_NO_WAIT), WICED_SUCCESS);
    EXPECT_EQ(message, 2u);
    wiced_rtos_deinit_queue(&queue);
}

TEST(Timer, RepeatsUntilItIsStopped) {
    wiced_timer_t timer;
    wiced_semaphore_t fired;
    wiced_rtos_init_semaphore(&fired);
    const auto handler = [](void* arg) {
        wiced_rtos_set_semaphore(static_cast<wiced_semaphore_t*>(arg));
    };
    ASSERT_EQ(wiced_rtos_init_timer(&timer, 10, handler, &fired), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_is_timer_running(&timer), WICED_ERROR);
    EXPECT_EQ(wiced_rtos_get_semaphore(&fired, 30), WICED_TIMEOUT);
    const auto began = Clock::now();
    EXPECT_EQ(wiced_rtos_start_timer(&timer), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_start_timer(&timer), WICED_ERROR);
    EXPECT_EQ(wiced_rtos_is_timer_running(&timer), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_get_semaphore(&fired, 5000), WICED_SUCCESS);
    EXPECT_GE(elapsed_ms(began), 10);
    EXPECT_EQ(wiced_rtos_get_semaphore(&fired, 5000), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_stop_timer(&timer), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_stop_timer(&timer), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_deinit_timer(&timer), WICED_SUCCESS);
    while (wiced_rtos_get_semaphore(&fired, WICED_NO_WAIT) == WICED_SUCCESS) {
    }
    EXPECT_EQ(wiced_rtos_get_semaphore(&fired, 40), WICED_TIMEOUT);
}

TEST(EventFlags, AnyAndAllAndATimeOutOf4) {
    wiced_event_flags_t flags;
    std::uint32_t set = 0;
    wiced_rtos_init_event_flags(&flags);
    EXPECT_EQ(wiced_rtos_wait_for_event_flags(&flags, 1, &set, WICED_FALSE, WAIT_FOR_ANY_EVENT, 10),
              4);
    wiced_rtos_set_event_flags(&flags, 1);
    EXPECT_EQ(
        wiced_rtos_wait_for_event_flags(&flags, 3, &set, WICED_FALSE, WAIT_FOR_ALL_EVENTS, 10), 4);
    EXPECT_EQ(wiced_rtos_wait_for_event_flags(&flags, 3, &set, WICED_FALSE, WAIT_FOR_ANY_EVENT, 10),
              WICED_SUCCESS);
    EXPECT_EQ(set, 1u);
    wiced_rtos_set_event_flags(&flags, 6);
    EXPECT_EQ(wiced_rtos_wait_for_event_flags(&flags, 3, &set, WICED_TRUE, WAIT_FOR_ALL_EVENTS, 10),
              WICED_SUCCESS);
    EXPECT_EQ(set, 7u);
    EXPECT_EQ(wiced_rtos_wait_for_event_flags(&flags, 4, &set, WICED_TRUE, WAIT_FOR_ANY_EVENT, 0),
              WICED_SUCCESS);
    EXPECT_EQ(set, 4u);
}

void wait_for_ever(wiced_thread_arg_t arg) {
    wiced_semaphore_t never;
    wiced_rtos_init_semaphore(&never);
    // The argument is a pointer, so it arrives whole only if the type is wide enough.
    auto* result = reinterpret_cast<std::atomic<int>*>(static_cast<std::uintptr_t>(arg));
    *result = wiced_rtos_get_semaphore(&never, WICED_WAIT_FOREVER);
}

TEST(Thread, ForcedAwakeAbortsTheWaitWith1054) {
    wiced_thread_t thread;
    std::atomic<int> result{-1};
    ASSERT_EQ(wiced_rtos_create_thread(&thread, 7, "t", wait_for_ever, 6200, &result),
              WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_thread_force_awake(&thread), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_thread_join(&thread), WICED_SUCCESS);
    EXPECT_EQ(result, 1054);
    EXPECT_EQ(wiced_rtos_delete_thread(&thread), WICED_SUCCESS);
}

TEST(Thread, DeleteEndsOneThatWaits) {
    wiced_thread_t thread;
    std::atomic<int> result{-1};
    ASSERT_EQ(wiced_rtos_create_thread(&thread, 7, nullptr, wait_for_ever, 6200, &result),
              WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_is_current_thread(&thread), WICED_ERROR);
    EXPECT_EQ(wiced_rtos_delete_thread(&thread), WICED_SUCCESS);
    EXPECT_EQ(result, -1);
    EXPECT_EQ(wiced_rtos_thread_join(&thread), WICED_BADARG);
    EXPECT_EQ(wiced_rtos_delete_thread(&thread), 1036);
}

TEST(Thread, OneThatDeletesItselfIsGone) {
    static wiced_thread_t thread;
    static wiced_semaphore_t started;
    static std::atomic<bool> is_past_delete{false};
    wiced_rtos_init_semaphore(&started);
    const auto main = [](wiced_thread_arg_t) {
        wiced_rtos_get_semaphore(&started, 5000);
        wiced_rtos_delete_thread(&thread);
        is_past_delete = true;
    };
    ASSERT_EQ(wiced_rtos_create_thread(&thread, 7, "self", main, 6200, nullptr), WICED_SUCCESS);
    wiced_rtos_set_semaphore(&started);
    wiced_rtos_thread_join(&thread);
    EXPECT_FALSE(is_past_delete);
}

TEST(Thread, MainsWithEitherArgumentTypeRunFromC) {
    EXPECT_EQ(c_program_thread_u32(0x12345678u), 0x12345678u);
    int here = 0;
    EXPECT_EQ(c_program_thread_pointer(&here), &here);
}

TEST(Worker, RunsEventsInOrderAndGives1032WhenFull) {
    wiced_worker_thread_t worker;
    static wiced_semaphore_t gate;
    static wiced_semaphore_t entered;
    static std::atomic<int> runs{0};
    wiced_rtos_init_semaphore(&gate);
    wiced_rtos_init_semaphore(&entered);
    ASSERT_EQ(wiced_rtos_create_worker_thread(&worker, 5, 1024, 1), WICED_SUCCESS);
    const auto event = [](void*) {
        wiced_rtos_set_semaphore(&entered);
        wiced_rtos_get_semaphore(&gate, 5000);
        ++runs;
        return WICED_ERROR;  // ignored
    };
    EXPECT_EQ(wiced_rtos_send_asynchronous_event(&worker, event, nullptr), WICED_SUCCESS);
    ASSERT_EQ(wiced_rtos_get_semaphore(&entered, 5000), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_send_asynchronous_event(&worker, event, nullptr), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_send_asynchronous_event(&worker, event, nullptr), 1032);
    wiced_rtos_set_semaphore(&gate);
    ASSERT_EQ(wiced_rtos_get_semaphore(&entered, 5000), WICED_SUCCESS);
    EXPECT_EQ(runs, 1);
    wiced_rtos_set_semaphore(&gate);
    EXPECT_EQ(wiced_rtos_delete_worker_thread(&worker), WICED_SUCCESS);
}

TEST(Worker, TimedEventsRepeat) {
    static wiced_semaphore_t fired;
    wiced_timed_event_t event;
    wiced_rtos_init_semaphore(&fired);
    const auto handler = [](void*) { return wiced_rtos_set_semaphore(&fired); };
    ASSERT_EQ(wiced_rtos_register_timed_event(&event, WICED_HARDWARE_IO_WORKER_THREAD, handler, 5,
                                              nullptr),
              WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_get_semaphore(&fired, 5000), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_get_semaphore(&fired, 5000), WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_deregister_timed_event(&event), WICED_SUCCESS);
}

TEST(Time, DelaysAreNeverShortAndTheClockCanBeSet) {
    wiced_time_t before = 0;
    wiced_time_t after = 0;
    wiced_time_get_time(&before);
    EXPECT_EQ(wiced_rtos_delay_milliseconds(20), WICED_SUCCESS);
    wiced_time_get_time(&after);
    EXPECT_GE(after - before, 19u);
    const wiced_time_t set = 1000000;
    EXPECT_EQ(wiced_time_set_time(&set), WICED_SUCCESS);
    wiced_time_get_time(&after);
    EXPECT_GE(after, set);
    EXPECT_LT(after, set + 5000);
}

TEST(Time, OfDayIsUnsetUntilSomethingSetsIt) {
    wiced_utc_time_t seconds = 0;
    EXPECT_EQ(wiced_time_get_utc_time(&seconds), WICED_SUCCESS);
    EXPECT_LT(seconds, 86'400u);  // it counts from the boot
    const wiced_utc_time_ms_t now_ms = 1'700'000'000'000;
    EXPECT_EQ(wiced_time_set_utc_time_ms(&now_ms), WICED_SUCCESS);
    wiced_utc_time_ms_t later_ms = 0;
    EXPECT_EQ(wiced_time_get_utc_time_ms(&later_ms), WICED_SUCCESS);
    EXPECT_GE(later_ms, now_ms);
    EXPECT_LT(later_ms, now_ms + 5000);
    EXPECT_EQ(wiced_time_get_utc_time(&seconds), WICED_SUCCESS);
    EXPECT_GE(seconds, 1'700'000'000u);
}

TEST(Time, MicrosecondsAreWaitedForAndZeroReturnsAtOnce) {
    EXPECT_EQ(wiced_rtos_delay_milliseconds(0), WICED_SUCCESS);
    wiced_time_t before = 0;
    wiced_time_t after = 0;
    wiced_time_get_time(&before);
    EXPECT_EQ(wiced_rtos_delay_microseconds(5000), WICED_SUCCESS);
    wiced_time_get_time(&after);
    EXPECT_GE(after - before, 4u);
}

TEST(Thread, TheStackIsAlwaysInOrder) {
    EXPECT_EQ(wiced_rtos_check_stack(), WICED_SUCCESS);
}

TEST(Thread, AYieldGivesTheOthersTheirTurnAndReturns) {
    std::atomic<bool> has_run = false;
    std::thread other([&] { has_run = true; });
    wiced_result_t result = WICED_SUCCESS;
    for (const auto began = Clock::now(); !has_run && elapsed_ms(began) < 10'000;) {
        result = wiced_rtos_thread_yield();
    }
    other.join();
    EXPECT_TRUE(has_run);
    EXPECT_EQ(result, WICED_SUCCESS);
    EXPECT_EQ(wiced_rtos_thread_yield(), WICED_SUCCESS);
}

TEST(Semaphore, CanBeInitialisedAgainAfterDeinit) {
    wiced_semaphore_t semaphore;
    wiced_rtos_init_semaphore(&semaphore);
    wiced_rtos_set_semaphore(&semaphore);
    EXPECT_EQ(wiced_rtos_deinit_semaphore(&semaphore), WICED_SUCCESS);
    wiced_rtos_init_semaphore(&semaphore);
    EXPECT_EQ(wiced_rtos_get_semaphore(&semaphore, WICED_NO_WAIT), 2);
}

}  // namespace
