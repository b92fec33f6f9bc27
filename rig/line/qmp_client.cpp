#include "rig/line/qmp_client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

namespace rig {
namespace {

using nlohmann::json;

constexpr std::size_t read_bytes = 16'384;

std::uint64_t id_of(const json& message) {
    const json id = message.value("id", json());
    return id.is_number_unsigned() ? id.get<std::uint64_t>() : 0;
}

}  // namespace

std::optional<QmpMessage> parse_qmp(std::string_view line) {
    const json message = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!message.is_object()) {
        return std::nullopt;
    }
    if (message.contains("QMP")) {
        return QmpMessage{.kind = QmpMessage::Kind::greeting, .text = {}};
    }
    if (message.contains("return")) {
        return QmpMessage{.kind = QmpMessage::Kind::answer,
                          .text = message["return"].dump(),
                          .id = id_of(message)};
    }
    if (message.contains("error")) {
        const json& error = message["error"];
        return QmpMessage{
            .kind = QmpMessage::Kind::error,
            .text = error.is_object() ? error.value("desc", error.dump()) : error.dump(),
            .id = id_of(message)};
    }
    if (!message.contains("event") || !message["event"].is_string()) {
        return std::nullopt;
    }
    QmpMessage event{.kind = QmpMessage::Kind::event, .text = message["event"]};
    const json stamp = message.value("timestamp", json::object());
    if (stamp.is_object() && stamp.value("seconds", json()).is_number_integer() &&
        stamp.value("microseconds", json()).is_number_integer()) {
        event.wall_ns = stamp["seconds"].get<std::int64_t>() * ns_per_s +
                        stamp["microseconds"].get<std::int64_t>() * ns_per_us;
    }
    return event;
}

QmpClient::QmpClient(UniqueFd socket) : socket_(std::move(socket)) {
    static_cast<void>(write(R"({"execute":"qmp_capabilities"})"));
}

std::uint64_t QmpClient::send(std::string_view command) {
    const std::uint64_t id = last_id_ + 1;
    if (!write(fmt::format(R"({{"id":{},{})", id, command.substr(1)))) {
        return 0;
    }
    last_id_ = id;
    return id;
}

bool QmpClient::write(std::string_view text) noexcept {
    if (is_over_) {
        return false;
    }
    // A command that fits only in part cannot be taken back. Commands are short and QEMU reads them
    // in its main loop, so that its buffer has room for thousands.
    const ssize_t sent =
        ::send(socket_.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    is_over_ = sent != static_cast<ssize_t>(text.size());
    return !is_over_;
}

void QmpClient::receive() {
    std::array<char, read_bytes> buffer;
    for (;;) {
        const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got > 0) {
            received_.append(buffer.data(), static_cast<std::size_t>(got));
            continue;
        }
        const int error = errno;
        if (got < 0 && error == EINTR) {
            continue;
        }
        is_over_ = is_over_ || got == 0 || error != EAGAIN || received_.size() > message_bytes_max;
        return;
    }
}

std::optional<QmpMessage> QmpClient::next() {
    if (received_.find('\n') == std::string::npos) {
        receive();
    }
    for (;;) {
        const auto end = received_.find('\n');
        if (end == std::string::npos) {
            return std::nullopt;
        }
        auto message = parse_qmp(std::string_view(received_).substr(0, end));
        received_.erase(0, end + 1);
        if (!message) {
            is_over_ = true;
            received_.clear();
            return std::nullopt;
        }
        const bool is_answer = message->kind != QmpMessage::Kind::event;
        if (!is_answer || message->id != 0) {
            return message;
        }
    }
}

std::optional<QmpMessage> QmpClient::wait_for_next(const Clock& clock, Deadline deadline) {
    for (;;) {
        if (auto message = next()) {
            return message;
        }
        if (is_over_) {
            return std::nullopt;
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.left(clock));
        if (left.count() == 0) {
            throw RigError("QEMU does not answer: the machine is overloaded, or QEMU hangs");
        }
        pollfd waited{.fd = socket_.get(), .events = POLLIN, .revents = 0};
        static_cast<void>(::poll(&waited, 1, static_cast<int>(left.count())));
    }
}

std::optional<std::string> QmpClient::call(std::string_view command, const Clock& clock,
                                           Deadline deadline) {
    const std::uint64_t id = send(command);
    if (id == 0) {
        return std::nullopt;
    }
    while (const auto message = wait_for_next(clock, deadline)) {
        if (message->id != id) {
            continue;
        }
        if (message->kind == QmpMessage::Kind::error) {
            throw QmpRefusal(fmt::format("QEMU refuses {}: {}", command, message->text));
        }
        return message->text;
    }
    return std::nullopt;
}

std::optional<std::int64_t> QmpClient::wait_for_event(std::string_view name, const Clock& clock,
                                                      Deadline deadline) {
    while (const auto message = wait_for_next(clock, deadline)) {
        if (message->kind == QmpMessage::Kind::event && message->text == name) {
            return message->wall_ns;
        }
    }
    return std::nullopt;
}

}  // namespace rig
