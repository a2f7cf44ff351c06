"""How the process ends, so that scripts can tell the endings apart."""

OK = 0
DIFFERS = 1  # a check failed, an answer differs, a promise is broken
USAGE = 2  # click's own status for a wrong command line
CANNOT_DECIDE = 3  # the request was understood and could not be decided, or was refused
UNREACHABLE = 4  # the service that was to be asked did not answer
CONFIGURATION = 78  # EX_CONFIG of sysexits.h: settings or knowledge cannot be used
SIGNAL = 128  # and the number of the signal that ended it, as shells count
INTERRUPTED = 130  # Ctrl-C

MEANINGS = {
    OK: "everything as it should be",
    DIFFERS: "a check failed, an answer differs, or a promise is broken",
    USAGE: "wrong command line",
    CANNOT_DECIDE: "the request was refused or could not be decided",
    UNREACHABLE: "the service that was to be asked did not answer",
    CONFIGURATION: "settings or knowledge cannot be used",
    INTERRUPTED: "stopped by Ctrl-C",
}
