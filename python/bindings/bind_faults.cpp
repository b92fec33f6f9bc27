#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "harness/server/fault_table.hpp"
#include "python/bindings/bindings.hpp"

namespace py = pybind11;

namespace bindings {

using harness::FaultInfo;
using harness::FaultParameter;
using harness::FaultSpec;

void add_faults(py::module_& m) {
    py::class_<FaultParameter>(m, "FaultParameter")
        .def_property_readonly("name", [](const FaultParameter& p) { return p.name; })
        .def_property_readonly("type", [](const FaultParameter& p) { return to_string(p.type); })
        .def_property_readonly("usual",
                               [](const FaultParameter& p) {
                                   return p.is_required() ? std::nullopt : std::optional(p.usual);
                               })
        .def_property_readonly("help", [](const FaultParameter& p) { return p.help; })
        .def_property_readonly("words", [](const FaultParameter& p) { return p.words; })
        .def_readonly("min", &FaultParameter::min)
        .def_readonly("max", &FaultParameter::max);

    py::class_<FaultInfo>(m, "FaultInfo")
        .def_property_readonly("name", [](const FaultInfo& info) { return info.name; })
        .def_property_readonly("point", [](const FaultInfo& info) { return to_string(info.point); })
        .def_property_readonly("port", [](const FaultInfo& info) { return to_string(info.port); })
        .def_property_readonly("help", [](const FaultInfo& info) { return info.help; })
        .def_property_readonly("parameters", [](const FaultInfo& info) {
            return std::vector<FaultParameter>(info.parameters.begin(), info.parameters.end());
        });

    py::class_<FaultSpec>(m, "FaultSpec")
        .def_property_readonly("nth", [](const FaultSpec& spec) { return spec.nth; })
        .def_property_readonly(
            "point",
            [](const FaultSpec& spec) { return to_string(harness::info_of(spec.kind).point); })
        .def("__str__", &harness::describe);

    m.def("fault_table", [] {
        const auto table = harness::fault_table();
        return std::vector<FaultInfo>(table.begin(), table.end());
    });
    m.def(
        "make_fault",
        [](const std::string& name, const std::vector<std::pair<std::string, std::string>>& words) {
            return harness::make_fault(name, words);
        },
        py::arg("name"), py::arg("words"));
}

}  // namespace bindings
