#include <fmt/format.h>

#include <algorithm>

#include "rig/bench_file/bench_draft.hpp"

namespace rig {
namespace {

constexpr std::int64_t debounce_ms_max = 10'000;
constexpr std::int64_t retries_max = 100;

void parse_verifies(BenchDraft& draft, TomlSection& section) {
    const auto words = section.texts("verifies");
    if (!words) {
        return;
    }
    std::vector<Verifies> verifies;
    for (const std::string& word : *words) {
        const auto what = value_spelt(word, verifies_spellings);
        if (!what) {
            section.wrong("verifies", not_one_of(word, verifies_spellings));
        } else if (std::find(verifies.begin(), verifies.end(), *what) != verifies.end()) {
            section.wrong("verifies", fmt::format("\"{}\" is there twice", word));
        } else {
            verifies.push_back(*what);
        }
    }
    if (!verifies.empty() && draft.bench.target.root_certificate == "none") {
        section.wrong("verifies",
                      "nothing can be verified while target.root_certificate is "
                      "\"none\"; expected []");
    }
    draft.bench.target.contract.verifies = std::move(verifies);
}

void parse_button_contract(BenchDraft& draft, TomlSection section, const std::string& name) {
    ButtonContract& button = draft.bench.target.contract.buttons[name];
    if (const auto led = section.text("led"); led == "none") {
        button.led.clear();
    } else if (led) {
        draft.check_direction(section, "led", *led, Direction::input);
        button.led = *led;
    }
    set_if(button.secure, section.boolean("secure"));
    section.finish();
}

}  // namespace

void parse_contract(BenchDraft& draft, TomlSection section) {
    Contract& contract = draft.bench.target.contract;
    set_if(contract.first_value, section.integer("first_value", 0, 1));
    set_if(contract.led_before_frame,
           section.choice("led_before_frame", led_before_frame_spellings));
    set_if(contract.reads_reply, section.boolean("reads_reply"));
    set_if(contract.debounce_ms, section.integer("debounce_ms", 0, debounce_ms_max));
    set_if(contract.retries, section.integer("retries", 0, retries_max));
    parse_verifies(draft, section);
    TomlSection buttons = section.section("buttons");
    for (const std::string& name : buttons.keys()) {
        draft.check_direction(buttons, name, name, Direction::output);
        parse_button_contract(draft, buttons.section(name), name);
    }
    section.finish();
}

}  // namespace rig
