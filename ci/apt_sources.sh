# shellcheck shell=bash
# Where this machine gets Debian from. To be sourced.

# address_of_suite ORIGIN SUITE: the address that serves SUITE's main section, as the machine's own
# apt sources have it, whichever format they are written in and whatever mirror they name. Nothing
# when no source does. The package lists must have been fetched.
address_of_suite() {
    # shellcheck disable=SC2016  # the dollars are apt's own
    LC_ALL=C apt-get indextargets --format '$(ORIGIN)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)' \
        'Created-By: Packages' |
        awk -F'|' -v origin="$1" -v suite="$2" \
            '$1 == origin && $2 == suite && $3 == "main" { print $4; exit }'
}
