#include "harness/loop/loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "rig/base/errors.hpp"

namespace harness {
namespace {

constexpr int events_per_round_max = 128;
constexpr Loop::WatchId wake_id = 1;
constexpr Loop::WatchId timer_id = 2;

rig::UniqueFd checked(int fd, const char* action) {
    const int error = errno;
    if (fd < 0) {
        rig::throw_system_error(error, action);
    }
    return rig::UniqueFd(fd);
}

void drain(int fd) {
    std::uint64_t count = 0;
    // Nothing to read is fine: both descriptors are non-blocking and only say "look now".
    [[maybe_unused]] const auto got = ::read(fd, &count, sizeof count);
}

std::uint32_t epoll_events(Interest interest) {
    if (interest == Interest{}) {
        // Epoll reports hang-ups asked or not, for as long as they last: told at its edge only, one
        // that nobody can act on yet does not keep the loop spinning.
        return std::uint32_t{EPOLLET};
    }
    return (interest.readable ? std::uint32_t{EPOLLIN} : 0U) |
           (interest.writable ? std::uint32_t{EPOLLOUT} : 0U);
}

}  // namespace

Loop::Loop(const rig::Clock& clock)
    : clock_(clock),
      epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "create an epoll instance")),
      wake_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "create an eventfd")),
      timer_(checked(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
                     "create a timerfd")),
      last_watch_id_(timer_id) {
    set_epoll(EPOLL_CTL_ADD, wake_.get(), {.readable = true}, wake_id);
    set_epoll(EPOLL_CTL_ADD, timer_.get(), {.readable = true}, timer_id);
}

Loop::~Loop() = default;

void Loop::set_epoll(int operation, int fd, Interest interest, WatchId id) {
    epoll_event event{};
    event.events = epoll_events(interest);
    event.data.u64 = id;
    if (::epoll_ctl(epoll_.get(), operation, fd, &event) != 0) {
        rig::throw_system_error(errno, "watch descriptor " + std::to_string(fd));
    }
}

void Loop::run() {
    std::array<epoll_event, events_per_round_max> events{};
    while (true) {
        const int count =
            ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
        if (count < 0) {
            const int error = errno;
            if (error == EINTR) {
                continue;
            }
            rig::throw_system_error(error, "wait for events");
        }
        bool woken = false;
        for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
            const WatchId id = events.at(i).data.u64;
            if (id == wake_id) {
                drain(wake_.get());
                woken = true;
                continue;
            }
            if (id == timer_id) {
                drain(timer_.get());
                armed_at_ns_ = 0;
                continue;
            }
            const auto found = watches_.find(id);
            if (found == watches_.end()) {
                continue;  // unwatched by a callback earlier in this round
            }
            const std::shared_ptr<Watch> watch = found->second;
            const bool hang_up = (events.at(i).events & (EPOLLHUP | EPOLLERR)) != 0;
            const Ready ready{.readable = hang_up || (events.at(i).events & EPOLLIN) != 0,
                              .writable = hang_up || (events.at(i).events & EPOLLOUT) != 0};
            guarded([&] { watch->callback(ready); });
        }
        run_timers();
        if (woken) {
            run_posted();
            const std::lock_guard lock(posted_mutex_);
            if (stopping_ && posted_.empty()) {
                stopping_ = false;
                return;
            }
        }
    }
}

void Loop::stop() {
    {
        const std::lock_guard lock(posted_mutex_);
        stopping_ = true;
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void Loop::post(std::function<void()> work) {
    {
        const std::lock_guard lock(posted_mutex_);
        posted_.push_back(std::move(work));
    }
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the loop is awake already.
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

Loop::WatchId Loop::watch(int fd, Interest interest, std::function<void(Ready)> callback) {
    const WatchId id = ++last_watch_id_;
    set_epoll(EPOLL_CTL_ADD, fd, interest, id);
    watches_.emplace(id, std::make_shared<Watch>(Watch{fd, interest, std::move(callback)}));
    watch_of_fd_[fd] = id;
    return id;
}

void Loop::change(WatchId id, Interest interest) {
    Watch& watch = *watches_.at(id);
    if (watch.interest == interest) {
        return;
    }
    set_epoll(EPOLL_CTL_MOD, watch.fd, interest, id);
    watch.interest = interest;
}

void Loop::unwatch(WatchId id) {
    const auto found = watches_.find(id);
    if (found == watches_.end()) {
        return;
    }
    // The descriptor may be closed already, which removed it from epoll, and its number may be
    // somebody else's by now.
    const auto newest = watch_of_fd_.find(found->second->fd);
    if (newest != watch_of_fd_.end() && newest->second == id) {
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second->fd, nullptr);
        watch_of_fd_.erase(newest);
    }
    watches_.erase(found);
}

Loop::TimerId Loop::at(rig::TimestampNs at_ns, std::function<void()> callback) {
    const TimerId id = ++last_timer_id_;
    timers_.emplace(at_ns, std::pair{id, std::move(callback)});
    timer_times_.emplace(id, at_ns);
    arm_timer();
    return id;
}

void Loop::cancel(TimerId id) {
    // The kernel's timer stays armed: at worst the loop wakes once for nothing.
    static_cast<void>(take_timer(id));
}

std::function<void()> Loop::take_timer(TimerId id) {
    const auto time = timer_times_.find(id);
    if (time == timer_times_.end()) {
        return nullptr;
    }
    std::function<void()> callback;
    const auto [first, last] = timers_.equal_range(time->second);
    for (auto timer = first; timer != last; ++timer) {
        if (timer->second.first == id) {
            callback = std::move(timer->second.second);
            timers_.erase(timer);
            break;
        }
    }
    timer_times_.erase(time);
    return callback;
}

void Loop::run_timers() {
    // A timer that a callback sets waits for the next round, however soon it is due: one that keeps
    // setting itself must not keep the loop from its descriptors.
    const auto due_end = timers_.upper_bound(clock_.monotonic_ns());
    std::vector<TimerId> due;
    for (auto timer = timers_.begin(); timer != due_end; ++timer) {
        due.push_back(timer->second.first);
    }
    for (const TimerId id : due) {
        if (const auto callback = take_timer(id)) {  // none: a callback before it cancelled it
            guarded(callback);
        }
    }
    arm_timer();
}

void Loop::arm_timer() {
    if (timers_.empty() || (armed_at_ns_ != 0 && armed_at_ns_ <= timers_.begin()->first)) {
        return;
    }
    armed_at_ns_ = std::max<rig::TimestampNs>(timers_.begin()->first, 1);
    itimerspec when{};
    when.it_value.tv_sec = armed_at_ns_ / rig::ns_per_s;
    when.it_value.tv_nsec = armed_at_ns_ % rig::ns_per_s;
    if (::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr) != 0) {
        rig::throw_system_error(errno, "arm the loop's timer");
    }
}

void Loop::run_posted() {
    std::vector<std::function<void()>> work;
    {
        const std::lock_guard lock(posted_mutex_);
        work.swap(posted_);
    }
    for (const auto& piece : work) {
        guarded(piece);
    }
}

void Loop::guarded(const std::function<void()>& callback) {
    if (!on_error_) {
        callback();
        return;
    }
    try {
        callback();
    } catch (const std::exception& error) {
        on_error_(error);
    }
}

}  // namespace harness
