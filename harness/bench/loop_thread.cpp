#include "harness/bench/loop_thread.hpp"

#include "harness/tls/tls_library.hpp"

namespace harness {

void LoopThread::start(std::function<void(const std::string&)> failed) {
    thread_ = std::thread([this, failed = std::move(failed)] { run(failed); });
}

void LoopThread::run(const std::function<void(const std::string&)>& failed) {
    try {
        loop_.run();
    } catch (const std::exception& error) {
        failed(error.what());
    }
    release_tls_thread_memory();
}

void LoopThread::stop() {
    if (thread_.joinable()) {
        loop_.stop();
        thread_.join();
    }
}

}  // namespace harness
