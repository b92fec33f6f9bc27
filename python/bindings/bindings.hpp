// The parts of the Python module, one function a file. Each adds its classes to the module.
#pragma once

#include <pybind11/pybind11.h>

namespace bindings {

void add_faults(pybind11::module_& module);
void add_events(pybind11::module_& module);
void add_lines(pybind11::module_& module);
void add_options(pybind11::module_& module);
void add_bench(pybind11::module_& module);
void add_recording(pybind11::module_& module);
void add_client(pybind11::module_& module);
/// Needs add_client().
void add_conformance(pybind11::module_& module);

/// Runs Python's signal handlers while a thread waits without the GIL. True when one of them
/// raised: the wait must end, and rethrow_interruption() then raises what they raised.
[[nodiscard]] bool interrupted();
/// Raises what interrupted() found, if anything. Needs the GIL.
void rethrow_interruption();

}  // namespace bindings
