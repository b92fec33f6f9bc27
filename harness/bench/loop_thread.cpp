#include "harness/bench/loop_thread.hpp"

#include "harness/tls/tls_library.hpp"

namespace harness {

LoopEnded::LoopEnded(const std::string& why) : RigError("the rig's loop ended: " + why) {}

void LoopThread::start(std::function<void(const LoopEnded&)> failed) {
    thread_ = std::thread([this, failed = std::move(failed)] { run(failed); });
}

void LoopThread::run(const std::function<void(const LoopEnded&)>& failed) {
    try {
        loop_.run();
    } catch (const std::exception& error) {
        const LoopEnded failure(error.what());
        failed(failure);
        const std::lock_guard lock(mutex_);
        failure_ = failure;
        changed_.notify_all();
    }
    release_tls_thread_memory();
}

void LoopThread::stop() {
    if (thread_.joinable()) {
        loop_.stop();
        thread_.join();
    }
}

bool LoopThread::has_failed() const {
    const std::lock_guard lock(mutex_);
    return failure_.has_value();
}

void LoopThread::set_done(bool& is_done) {
    const std::lock_guard lock(mutex_);
    is_done = true;
    changed_.notify_all();
}

void LoopThread::wait_for(const bool& is_done) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_done || failure_; });
    if (!is_done) {
        throw LoopEnded(*failure_);
    }
}

}  // namespace harness
