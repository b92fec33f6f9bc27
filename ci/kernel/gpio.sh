# shellcheck shell=bash
# The two GPIO chips of a bench of kind kernel, made by the kernel's gpio-sim inside the virtual
# machine: the rig's, and the board's. To be sourced there, by root.

config=/sys/kernel/config/gpio-sim

# make_chip NAME LABEL LINES: a chip with that label.
make_chip() {
    mkdir -p "$config/$1/bank0"
    echo "$2" >"$config/$1/bank0/label"
    echo "$3" >"$config/$1/bank0/num_lines"
    echo 1 >"$config/$1/live"
}

# lines_of NAME: the folder that holds sim_gpioN/ for each line of the chip.
lines_of() {
    echo "/sys/devices/platform/$(<"$config/$1/dev_name")/$(<"$config/$1/bank0/chip_name")"
}
