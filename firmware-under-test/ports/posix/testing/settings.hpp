// What the test program's application.c is built with: small pools and short limits.
#pragma once

namespace settings {

constexpr int kTxPackets = WWEP_TEST_PACKETS;
constexpr int kRxPackets = WWEP_TEST_PACKETS;
constexpr int kAcceptTimeoutMs = WWEP_TEST_ACCEPT_MS;
constexpr int kPacketTimeoutMs = WWEP_TEST_PACKET_MS;

}  // namespace settings
