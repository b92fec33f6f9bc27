#include "rig/base/unique_fd.hpp"

#include <unistd.h>

namespace rig {

void UniqueFd::reset(int fd) noexcept {
    if (fd_ >= 0 && fd_ != fd) {
        ::close(fd_);  // On Linux the descriptor is gone whatever close() returns.
    }
    fd_ = fd;
}

}  // namespace rig
