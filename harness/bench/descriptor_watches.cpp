#include "harness/bench/descriptor_watches.hpp"

#include <algorithm>

namespace harness {

void DescriptorWatches::begin(const std::vector<int>& descriptors,
                              const std::function<void()>& look) {
    end();
    for (const int fd : descriptors) {
        watches_[fd] = loop_.watch(fd, {.readable = true}, [look](Ready) { look(); });
    }
}

void DescriptorWatches::end() {
    for (const auto& [fd, watch] : watches_) {
        loop_.unwatch(watch);
    }
    watches_.clear();
}

bool DescriptorWatches::are_of(const std::vector<int>& descriptors) const {
    return descriptors.size() == watches_.size() &&
           std::all_of(descriptors.begin(), descriptors.end(),
                       [this](int fd) { return watches_.contains(fd); });
}

}  // namespace harness
