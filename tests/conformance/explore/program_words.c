// SPDX-License-Identifier: MIT
//
// The tables, and a hash of everything that makes a program.

#include "tests/conformance/explore/program_words.h"

#include <string.h>

const struct program_words program_step_words[STEP_KIND_COUNT] = {
    [STEP_WAIT_RECV] = {"wait-recv", "S", true},
    [STEP_WAIT_SEND] = {"wait-send", "S", true},
    [STEP_RECV] = {"recv", "SN", true},
    [STEP_RECV_EXACT] = {"recv-exact", "SN", true},
    [STEP_RECVMSG] = {"recvmsg", "SN", true},
    [STEP_READ] = {"read", "SN", true},
    [STEP_ACCEPT] = {"accept", "SS", true},
    [STEP_SEND] = {"send", "SN", true},
    [STEP_SEND_ALL] = {"send-all", "SN", true},
    [STEP_SENDMSG] = {"sendmsg", "SN", true},
    [STEP_CONNECT] = {"connect", "SS", true},
    [STEP_CLOSE] = {"close", "S", true},
    [STEP_RELEASE] = {"release", "S", true},
    [STEP_UNKNOWN] = {"unknown", "S", true},
    [STEP_WAIT_WAKEUP] = {"wait-wakeup", "W", true},
    [STEP_SLEEP] = {"sleep", "D", false},
    [STEP_PAUSE] = {"pause", "", false},
    [STEP_JOIN] = {"join", "T", false},
    [STEP_SPAWN] = {"spawn", "T", false},
    [STEP_CANCEL] = {"cancel", "T", false},
    [STEP_SHUTDOWN] = {"shutdown", "SH", false},
    [STEP_SCOPE] = {"scope", "", true},
    [STEP_LEAVE] = {"leave", "", false},
    [STEP_CANCEL_SCOPE] = {"cancel-scope", "", false},
    [STEP_TRY_RECV] = {"try-recv", "SN", false},
    [STEP_TRY_SEND] = {"try-send", "SN", false},
    [STEP_SIGNAL] = {"signal", "W", false},
};

const struct program_words program_stimulus_words[STIMULUS_KIND_COUNT] = {
    [STIMULUS_PUT] = {"put", "SN", false},
    [STIMULUS_TAKE] = {"take", "SN", false},
    [STIMULUS_DRAIN] = {"drain", "S", false},
    [STIMULUS_FILL] = {"fill", "S", false},
    [STIMULUS_CLOSE] = {"close", "S", false},
    [STIMULUS_SHUTDOWN] = {"shutdown", "SH", false},
    [STIMULUS_CONNECT] = {"connect", "SS", false},
    [STIMULUS_ACCEPT] = {"accept", "SS", false},
    [STIMULUS_SIGNAL] = {"signal", "W", false},
    [STIMULUS_STEAL] = {"steal", "S", false},
};

const char *const program_how_words[PROGRAM_HOW_COUNT] = {"recv", "send", "both"};

static const char *const object_words[OBJECT_KIND_COUNT] = {
    [OBJECT_PAIR] = "pair",
    [OBJECT_SMALL_PAIR] = "small-pair",
    [OBJECT_TCP] = "tcp",
    [OBJECT_PIPE] = "pipe",
    [OBJECT_DATAGRAMS] = "datagrams",
    [OBJECT_UNIX_LISTENER] = "unix-listener",
    [OBJECT_TCP_LISTENER] = "tcp-listener",
    [OBJECT_SLOT] = "slot",
    [OBJECT_WAKEUP] = "wakeup",
    [OBJECT_FILE] = "file",
    [OBJECT_UDP_ERROR] = "udp-error",
};

const char *step_kind_name(enum step_kind kind)
{
    return program_step_words[kind].name;
}

const char *stimulus_kind_name(enum stimulus_kind kind)
{
    return program_stimulus_words[kind].name;
}

const char *object_kind_name(enum object_kind kind)
{
    return object_words[kind];
}

bool program_is_double(enum object_kind kind)
{
    return kind <= OBJECT_DATAGRAMS;
}

bool program_is_listener(enum object_kind kind)
{
    return kind == OBJECT_UNIX_LISTENER || kind == OBJECT_TCP_LISTENER;
}

// --- The hash -----------------------------------------------------------------------------------

// FNV-1a with words in place of bytes, and a shift that brings the high half down again.
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 29;
}

static uint64_t mix_name(uint64_t hash, const char *name)
{
    uint64_t words[PROGRAM_NAME_BYTES / sizeof(uint64_t)] = {0};
    memcpy(words, name, strnlen(name, PROGRAM_NAME_BYTES));
    return mix(mix(hash, words[0]), words[1]);
}

static uint64_t mix_act(uint64_t hash, const uint8_t what[3], uint32_t bytes, int64_t time_ns)
{
    hash = mix(hash, (uint64_t)bytes << 24 | (uint64_t)what[0] << 16 | (uint64_t)what[1] << 8 |
                         what[2]);
    return mix(hash, (uint64_t)time_ns);
}

uint64_t program_hash(const struct program *program)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (int i = 0; i < program->object_count; i++) {
        const struct object *object = &program->objects[i];
        hash = mix_name(hash, object->name);
        hash = mix(hash, (uint64_t)object->kind << 16 | (uint64_t)object->backlog << 8 |
                             object->is_second);
    }
    for (int i = 0; i < program->task_count; i++) {
        hash = mix_name(hash, program->tasks[i].name);
        hash = mix(hash, program->tasks[i].step_count);
    }
    for (int i = 0; i < program->step_count; i++) {
        const struct step *step = &program->steps[i];
        const uint8_t what[] = {step->kind, step->object, step->other};
        hash = mix_act(hash, what, step->bytes, step->within_ns);
    }
    hash = mix(hash, program->stimulus_count);
    for (int i = 0; i < program->stimulus_count; i++) {
        const struct stimulus *stimulus = &program->stimuli[i];
        const uint8_t what[] = {stimulus->kind, stimulus->object, stimulus->other};
        hash = mix_act(hash, what, stimulus->bytes, stimulus->at_ns);
    }
    return hash;
}
