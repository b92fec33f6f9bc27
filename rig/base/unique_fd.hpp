// UniqueFd owns one file descriptor and closes it when it goes. It is what every socket, pipe,
// epoll and pidfd of the rig is kept in. Not copyable; a moved-from UniqueFd owns nothing (-1).
#pragma once

#include <utility>

namespace rig {

class UniqueFd {
  public:
    UniqueFd() noexcept = default;
    explicit UniqueFd(int fd) noexcept : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        reset(other.release());
        return *this;
    }
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;
    ~UniqueFd() { reset(); }

    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
    /// Gives the descriptor away: the caller closes it.
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    /// Closes what is owned and takes `fd` instead (-1: nothing).
    void reset(int fd = -1) noexcept;

  private:
    int fd_ = -1;
};

}  // namespace rig
