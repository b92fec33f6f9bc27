// DescriptorWatches is what a bench watches of something whose set of descriptors changes: lines, a
// target. It owns its watches, not the descriptors; the loop must outlive it. Loop's thread only,
// or while the loop does not run.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "harness/loop/loop.hpp"

namespace harness {

class DescriptorWatches {
  public:
    explicit DescriptorWatches(Loop& loop) : loop_(loop) {}
    ~DescriptorWatches() { end(); }
    DescriptorWatches(const DescriptorWatches&) = delete;
    DescriptorWatches& operator=(const DescriptorWatches&) = delete;

    /// Watches these and no others, all anew: `look` is called while one of them is readable.
    void begin(const std::vector<int>& descriptors, const std::function<void()>& look);
    void end();

    [[nodiscard]] bool is_empty() const { return watches_.empty(); }
    /// Whether these and no others are watched.
    [[nodiscard]] bool are_of(const std::vector<int>& descriptors) const;

  private:
    Loop& loop_;
    std::map<int, Loop::WatchId> watches_;  // by descriptor
};

}  // namespace harness
