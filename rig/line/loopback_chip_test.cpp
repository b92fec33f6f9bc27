// The loopback measurement on a chip of the kernel's gpio-sim, and what it measures there.
#include "rig/line/loopback.hpp"

#include <atomic>
#include <iostream>
#include <thread>

#include "rig/line/chip_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using rig::Level;

/// A jumper from the button's line to the LED's: copies the one to the other until it goes.
class Jumper {
  public:
    Jumper(const rig::testing::GpioSim& sim, unsigned from, unsigned to)
        : thread_([this, &sim, from, to] {
              Level last = sim.value(to);
              while (!is_done_) {
                  sim.pull(from, Level::high);
                  if (const Level level = sim.value(from); level != last) {
                      sim.pull(to, level);
                      last = level;
                  }
                  std::this_thread::sleep_for(200us);
              }
          }) {}
    ~Jumper() {
        is_done_ = true;
        thread_.join();
    }
    Jumper(const Jumper&) = delete;
    Jumper& operator=(const Jumper&) = delete;

  private:
    std::atomic<bool> is_done_ = false;
    std::thread thread_;
};

class LoopbackChipTest : public rig::testing::ChipTest {
  protected:
    rig::LoopbackReport measure(std::size_t samples, std::chrono::milliseconds answer_timeout) {
        rig::Loopback loopback(
            *lines_, clock_,
            {.output = 0, .input = 1, .samples = samples, .answer_timeout = answer_timeout});
        while (!loopback.is_done()) {
            loopback.measure_for(50ms, rig::testing::wait_readable);
        }
        return loopback.report();
    }
};

TEST_F(LoopbackChipTest, every_setting_of_a_wired_line_comes_back) {
    sim_->pull(led, Level::high);
    open();
    const Jumper jumper(*sim_, button, led);
    const auto report = measure(100, 2s);
    EXPECT_EQ(report.samples, 100U);
    EXPECT_EQ(report.missed, 0U);
    EXPECT_GT(report.set_call.p50_ns, 0);
    EXPECT_GT(report.set_to_edge.p50_ns, 0);
    EXPECT_GT(report.edge_to_read.p50_ns, 0);
    for (const auto& [what, spread] :
         {std::pair{"set call", report.set_call},
          {"set to edge (with the jumper's polling)", report.set_to_edge},
          {"edge to read", report.edge_to_read}}) {
        std::cout << what << ": p50 " << spread.p50_ns / 1000 << " us, p99 " << spread.p99_ns / 1000
                  << " us, max " << spread.max_ns / 1000 << " us\n";
    }
}

TEST_F(LoopbackChipTest, a_wire_that_is_missing_is_named) {
    open();
    EXPECT_THAT(
        rig::testing::thrown_by<rig::RigError>([this] { static_cast<void>(measure(10, 50ms)); }),
        ::testing::HasSubstr("led0 does not follow button0"));
    EXPECT_EQ(board_reads_button(), Level::high);
}

}  // namespace
