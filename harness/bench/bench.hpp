// Bench joins everything: the loop's thread, the lines with their buttons and LEDs, the target, the
// server, and the events that they make. It owns all of them. Without a bench file it is a server
// and a timeline. clock and tls_library must outlive it.
//
// Thread rule: any thread may call any method; what touches lines, target or server is handed to
// the loop's thread and waited for. Waits end when `interrupted` (asked every 50 ms) says so.
// Should the loop fail, the buttons are released, that is a rig error, and calls throw it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "harness/bench/bench_events.hpp"
#include "harness/bench/bench_lines.hpp"
#include "harness/bench/bench_target.hpp"
#include "harness/bench/loop_thread.hpp"
#include "harness/names/board_network.hpp"
#include "harness/server/server.hpp"
#include "rig/bench_file/bench_file.hpp"
#include "rig/target/enclosure.hpp"

namespace harness {

struct BenchOptions {
    std::optional<rig::BenchFile> bench_file = {};
    ServerOptions server;
    std::string registers_file;  ///< empty: registers live in memory only
    std::optional<TargetProcess> target = {};
    /// Of a bench of kind emulator, in place of a process. Where it forwards ports the board is a
    /// server: it reaches nobody then, and needs no network of its own.
    std::optional<TargetEmulator> emulator = {};
    std::string recording_path;  ///< empty: nothing is recorded
    bool overwrite_recording = false;
    bool go_on_with_recording = false;  ///< it exists, and gets another run
    RunFacts run;
};

/// The server's address in the network of an emulated board; firmware falls back to it too.
constexpr const char* emulated_server_address = "198.51.100.3";
/// Where that board finds name and time servers, at its gateway.
constexpr std::uint16_t emulated_name_port = 5300;
constexpr std::uint16_t emulated_time_port = 12300;

class Bench {
  public:
    /// Opens everything, starts the loop; the target is not started yet. Throws rig::NoBench or
    /// rig::RigError.
    Bench(BenchOptions options, const rig::Clock& clock, const TlsLibrary& tls_library);
    ~Bench();
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    /// Releases every button, cuts the wire and gives the board a moment to take notice, ends it,
    /// shuts the server down (within its drain timeout) and flushes the recording. Twice is fine,
    /// also at once. Meanwhile and afterwards only the timeline can be read; calls that need more
    /// throw rig::RigError.
    void close();

    [[nodiscard]] std::vector<std::string> plain_endpoints() const { return plain_endpoints_; }
    [[nodiscard]] std::vector<std::string> tls_endpoints() const { return tls_endpoints_; }

    /// Starts the firmware and waits until it is ready. Throws rig::TargetFailure with its console
    /// if it dies or is not ready in time, rig::NoBench if there is nothing to start.
    void start_target(rig::Deadline deadline, const Interrupted& interrupted);
    /// Asks it to end and waits until it has.
    void stop_target(const Interrupted& interrupted);
    /// As abruptly as a reset pin; then as start_target().
    void reset_target(rig::Deadline deadline, const Interrupted& interrupted);
    /// As abruptly as a board loses its power. For a target that the rig starts.
    void cut_target_power();
    /// These are for an emulated board: rig::NoBench for any other, rig::RigError where it does not
    /// run.
    void pause_target();
    void resume_target();
    void set_target_link(bool is_up);
    /// As EmulatorTarget's.
    void set_link_faults(const rig::LinkFaults& faults);
    rig::LinkCounts end_link_faults();
    [[nodiscard]] rig::LinkCounts link_counts();
    void type_on_console(const std::string& line);
    /// What its name and time servers say from now on. rig::NoBench where it has none.
    void set_name_lie(const NameLie& lie);
    void set_time_lie(const TimeLie& lie);
    /// For a board that somebody else switches: it begins anew from now on.
    void board_begins();
    /// Likewise: it has no power from now on.
    void board_ends();
    /// Throws rig::TargetFailure with the console if it is not ready before the deadline.
    void wait_target_ready(rig::Deadline deadline, const Interrupted& interrupted);
    [[nodiscard]] bool target_is_running();
    /// 0: it does not run.
    [[nodiscard]] int target_pid();

    [[nodiscard]] std::vector<std::string> buttons() const;
    [[nodiscard]] std::vector<std::string> leds() const;

    /// Asserts a button and returns; the loop lets go after `hold`. Throws rig::NoBench for an
    /// unknown button, hold or profile, rig::RigError when the line cannot be driven or the button
    /// is pressed already.
    [[nodiscard]] PressId start_press(const std::string& button, std::chrono::nanoseconds hold,
                                      const std::string& profile);
    /// What it has caused so far. Throws rig::RigError for a press too long ago.
    [[nodiscard]] RoundTrip round_trip(PressId id) const;
    /// Whether it got that far before the deadline. Throws rig::RigError when the rig erred since
    /// the press began.
    [[nodiscard]] bool wait_trip(PressId id, Until until, rig::Deadline deadline,
                                 const Interrupted& interrupted);
    /// Every button to high impedance, now.
    void release_buttons();
    /// One button, likewise. Throws rig::NoBench for an unknown one.
    void release_button(const std::string& button);
    /// Holds a line of reset or power at its active or inactive level until it is set again or the
    /// bench closes. Throws rig::NoBench for any other line, rig::RigError when it cannot be
    /// driven.
    void set_line(const std::string& line, bool active);
    [[nodiscard]] bool led_is_on(const std::string& led);
    /// Whether the LED is, or becomes, on (or off) before the deadline.
    [[nodiscard]] bool wait_led(const std::string& led, bool on, rig::Deadline deadline,
                                const Interrupted& interrupted);
    /// What it did from one moment up to another, for rig::stays() and rig::blinks(). Ask some
    /// milliseconds after `until_ns`: edges take that long. Throws rig::RigError for what is too
    /// long ago.
    [[nodiscard]] rig::LedWindow led_window(const std::string& led, TimestampNs from_ns,
                                            TimestampNs until_ns);

    /// Drives a button `samples` times, at least once, and compares each time with the edge that
    /// comes back on an LED wired to it, until `interrupted` ends that early: it is asked every
    /// 50 ms, and told how many are done; it must not throw. None of it is on the timeline or known
    /// to led_window(): close the bench afterwards. Throws rig::NoBench for an unknown line,
    /// rig::RigError when the LED does not follow.
    using LoopbackInterrupted = std::function<bool(std::size_t settings_done)>;
    [[nodiscard]] rig::LoopbackReport measure_loopback(const std::string& button,
                                                       const std::string& led, std::size_t samples,
                                                       const LoopbackInterrupted& interrupted);

    [[nodiscard]] std::optional<std::uint16_t> read_register(std::uint16_t device,
                                                             std::uint8_t reg);
    void write_register(std::uint16_t device, std::uint8_t reg, std::uint16_t value);
    void clear_registers();

    [[nodiscard]] Faults::Id add_fault(const FaultSpec& spec);
    std::int64_t remove_fault(Faults::Id id);
    /// As Server::step_aside() and step_back(); the endpoints that the bench names stay the same.
    std::vector<LentPort> step_aside(FaultPort which);
    void step_back(FaultPort which);
    [[nodiscard]] std::size_t connections_open();

    [[nodiscard]] const Timeline& timeline() const { return events_.timeline(); }
    void test_began(const std::string& nodeid);
    void test_ended(const std::string& nodeid, const std::string& outcome);
    void note(const std::string& text);
    /// As a note, and a rig error as well: waits for a press that is under way throw it.
    void note_error(const std::string& text);
    /// The rig itself does something wrong on purpose, such as holding a line.
    void note_fault(const std::string& name);
    /// Whether everything that happened so far is on disk before the deadline.
    [[nodiscard]] bool flush_recording(rig::Deadline deadline);
    /// What went wrong with the rig itself so far.
    [[nodiscard]] std::vector<std::string> rig_errors() const;

    [[nodiscard]] const rig::Clock& clock() const { return clock_; }

  private:
    template <class Work>
    auto call(Work&& work);
    void release_in_loop();
    void close_in_loop();
    [[nodiscard]] BenchLines& lines() const;
    [[nodiscard]] BenchTarget& target() const;
    [[nodiscard]] BoardNetwork& board_network() const;
    void make_target();
    [[nodiscard]] std::vector<BoundSocket> enclosed_sockets();
    [[nodiscard]] std::vector<std::string> names_of(rig::Direction direction) const;

    const rig::Clock& clock_;
    const BenchOptions options_;
    BenchEvents events_;
    LoopThread loop_thread_;
    RegisterFile registers_;
    std::unique_ptr<rig::Enclosure> enclosure_;    // nullptr: the target has no network of its own
    std::unique_ptr<BoardNetwork> board_network_;  // likewise
    std::unique_ptr<Server> server_;
    std::vector<std::string> plain_endpoints_;
    std::vector<std::string> tls_endpoints_;
    std::unique_ptr<BenchLines> lines_;    // nullptr: no bench file
    std::unique_ptr<BenchTarget> target_;  // nullptr: nothing that the rig could start

    std::mutex closing_;       // held by close(), before calls_
    std::shared_mutex calls_;  // shared by calls under way; close() takes it for good
    std::atomic<bool> is_closing_ = false;
};

}  // namespace harness
