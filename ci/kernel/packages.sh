# shellcheck shell=bash
# The virtual machine's kernel: packages of Debian that are downloaded and unpacked into a cache, and
# never installed. To be sourced, after ci/apt_sources.sh, with `cache` set to the cache's folder.
#
# The cache holds kernel-VERSION/ (vmlinux, modules/, and in modules.asked which modules were looked
# for). kernel-VERSION/good says that this kernel has booted, kernel-VERSION/bad that it did not.
: "${cache:?the folder of the cache}"

# A kernel from a suite whose kernels have gpio-sim; those of Debian 12 and 13 are built without it.
kernel_suite=forky
kernel_package=linux-image-amd64
# In the order in which they go in. Newer kernels may have one of them built in.
kernel_modules=(netfs 9pnet 9pnet_virtio 9p overlay configfs gpio-sim sch_netem)

# private_apt SUITE COMMAND...: an apt command that sees SUITE's main section and nothing else, no
# package that is installed either.
private_apt() {
    local suite=$1 folder=$cache/apt-$1 command=$2 address
    shift 2
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
    if [[ ! -s $folder/sources.list ]]; then
        address=$(. /etc/os-release && address_of_suite Debian "$VERSION_CODENAME")
        if [[ -z $address ]]; then
            echo "kernel-test: no apt source of this machine serves Debian; run apt-get update" >&2
            return 1
        fi
        local keyring=/usr/share/keyrings/debian-archive-keyring.gpg options=arch=amd64
        [[ ! -r $keyring ]] || options+=" signed-by=$keyring"
        echo "deb [$options] $address $suite main" >"$folder/sources.list"
    fi
    LC_ALL=C "$command" -q -o Dir::Etc::sourcelist="$folder/sources.list" \
        -o Dir::Etc::sourceparts=/nonexistent -o Dir::State::lists="$folder/lists" \
        -o Dir::Cache="$folder/cache" -o Dir::State::status=/dev/null \
        -o APT::Architecture=amd64 -o APT::Sandbox::User=root -o Acquire::Languages=none \
        -o Acquire::Retries=3 "$@"
}

# Prints the package that NAME stands for and those of the kernel that it depends on, as names.
kernel_packages() {
    private_apt "$kernel_suite" apt-cache depends --recurse --no-recommends --no-suggests \
        --no-conflicts --no-breaks --no-replaces --no-enhances "$kernel_package" |
        grep -E '^linux-(image|binary|modules)-[0-9]' | sort -u
}

# download SUITE FOLDER PACKAGE...: unpacks the packages into FOLDER/root.
download() {
    local suite=$1 folder=$2 deb
    shift 2
    mkdir -p "$folder/debs" "$folder/root"
    (cd "$folder/debs" && private_apt "$suite" apt-get download "$@") || return
    for deb in "$folder"/debs/*.deb; do
        dpkg-deb -x "$deb" "$folder/root" || return
    done
    rm -rf "$folder/debs"
}

# extract_vmlinux BZIMAGE VMLINUX: QEMU starts the uncompressed kernel some seconds sooner.
extract_vmlinux() {
    local setup_sectors offset length
    setup_sectors=$(od -An -tu1 -j497 -N1 "$1")
    offset=$(od -An -tu4 -j584 -N4 "$1")
    length=$(od -An -tu4 -j588 -N4 "$1")
    # The last four bytes of the payload are its length when unpacked.
    dd if="$1" bs=1M iflag=skip_bytes,count_bytes skip=$(((setup_sectors + 1) * 512 + offset)) \
        count=$((length - 4)) status=none | zstd -dcq >"$2"
}

# unpack_kernel ROOT FOLDER: vmlinux and the modules, from the unpacked packages.
unpack_kernel() {
    local root=$1 folder=$2 image module file
    image=$(find "$root" -name 'vmlinuz*' -type f | head -n 1)
    if [[ -z $image ]]; then
        echo "kernel-test: the kernel's packages hold no vmlinuz" >&2
        return 1
    fi
    extract_vmlinux "$image" "$folder/vmlinux" || cp "$image" "$folder/vmlinux"
    mkdir -p "$folder/modules"
    for module in "${kernel_modules[@]}"; do
        file=$(find "$root" -name "$module.ko*" -o -name "${module//-/_}.ko*" | head -n 1)
        case $file in
        *.ko.xz) xz -dc "$file" >"$folder/modules/$module.ko" ;;
        *.ko.zst) zstd -dcq "$file" >"$folder/modules/$module.ko" ;;
        *.ko) cp "$file" "$folder/modules/$module.ko" ;;
        *) ;;
        esac || return
    done
    echo "${kernel_modules[*]}" >"$folder/modules.asked"
    if [[ ! -e $folder/modules/gpio-sim.ko ]]; then
        echo "kernel-test: the kernel's packages hold no gpio-sim" >&2
        return 1
    fi
}

# is_unpacked VERSION: whether that kernel is in the cache, with each module that is wanted now and
# that it has.
is_unpacked() {
    local folder=$cache/kernel-$1
    [[ -e $folder/vmlinux && -e $folder/modules.asked &&
        $(<"$folder/modules.asked") == "${kernel_modules[*]}" ]]
}

# Fetches the newest kernel of the suite unless it is here, and writes its version to
# $cache/kernel-newest; also sets `version_wanted` to it. Asks for a newer one once a day.
fetch_kernel() {
    local newest=$cache/kernel-newest version work
    local -a names
    if [[ -e $newest && -n $(find "$newest" -mmin -1440) ]] && is_unpacked "$(<"$newest")"; then
        return
    fi
    echo "kernel-test: looking for the newest kernel of $kernel_suite"
    private_apt "$kernel_suite" apt-get update || return
    mapfile -t names < <(kernel_packages)
    version=$(private_apt "$kernel_suite" apt-cache policy "$kernel_package" |
        sed -n 's/.*Candidate: //p')
    if [[ ${#names[@]} == 0 || -z $version || $version == "(none)" ]]; then
        echo "kernel-test: $kernel_suite has no $kernel_package" >&2
        return 1
    fi
    # shellcheck disable=SC2034  # for who is to tell people
    version_wanted=$version
    if ! is_unpacked "$version"; then
        echo "kernel-test: fetching ${names[*]}"
        work=$(mktemp -d "$cache/new.XXXXXX")
        if ! download "$kernel_suite" "$work" "${names[@]}" ||
            ! unpack_kernel "$work/root" "$work"; then
            rm -rf "$work"
            return 1
        fi
        rm -rf "$work/root" "$cache/kernel-$version"
        mv "$work" "$cache/kernel-$version"
    fi
    rm -f "$cache/kernel-$version/bad"
    echo "$version" >"$newest"
}
