// SPDX-License-Identifier: MIT
//
// Reads a command line by a table. The defaults stand in the table as text and are stored through
// the same conversion as what the user types: so the help cannot disagree with the program, and a
// default out of its own bounds is found by the first call.

#include "tools/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// What every tool has, without a place to store it: they end the reading.
static const struct options_entry builtin_entries[] = {
    {.long_name = "help", .short_name = 'h', .help = "show this text and end"},
    {.long_name = "version", .help = "show the version and end"},
};
enum { BUILTIN_COUNT = sizeof(builtin_entries) / sizeof(builtin_entries[0]) };

// A reading in progress: the next word of the command line, and how the tool is to end if it is.
struct reader {
    const struct options_program *program;
    char *const *words;
    int word_count;
    int next;
    int exit_status;
};

static const struct options_entry *entry_at(const struct options_program *program, size_t index)
{
    return index < program->entry_count ? &program->entries[index]
                                        : &builtin_entries[index - program->entry_count];
}

static size_t total_count(const struct options_program *program)
{
    return program->entry_count + BUILTIN_COUNT;
}

static const struct options_entry *find_long(const struct options_program *program,
                                             const char *name, size_t length)
{
    for (size_t index = 0; index < total_count(program); index++) {
        const struct options_entry *entry = entry_at(program, index);
        if (strlen(entry->long_name) == length && strncmp(entry->long_name, name, length) == 0)
            return entry;
    }
    return NULL;
}

static const struct options_entry *find_short(const struct options_program *program, char name)
{
    for (size_t index = 0; index < total_count(program); index++) {
        const struct options_entry *entry = entry_at(program, index);
        if (entry->short_name != 0 && entry->short_name == name)
            return entry;
    }
    return NULL;
}

// Decimal digits from *text on, which is moved behind them.
static int read_digits(const char **text, uint64_t *ret)
{
    uint64_t value = 0;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return -ERANGE;
    }
    if (at == *text)
        return -EINVAL;
    *text = at;
    *ret = value;
    return 0;
}

int options_number(const char *text, uint64_t thousand, uint64_t *ret)
{
    uint64_t value;
    int result = read_digits(&text, &value);
    if (result < 0)
        return result;
    uint64_t scale = 1;
    if (strcmp(text, "k") == 0 || strcmp(text, "K") == 0)
        scale = thousand;
    else if (strcmp(text, "m") == 0 || strcmp(text, "M") == 0)
        scale = thousand * thousand;
    else if (*text != '\0')
        return -EINVAL;
    if (__builtin_mul_overflow(value, scale, &value))
        return -ERANGE;
    *ret = value;
    return 0;
}

static const struct duration_unit {
    const char *name;
    uint64_t ns;
} duration_units[] = {
    {"", 1000000000}, {"s", 1000000000},  {"ms", 1000000},      {"us", 1000},
    {"ns", 1},        {"m", 60000000000}, {"h", 3600000000000},
};

int options_duration(const char *text, int64_t *ret_ns)
{
    uint64_t whole;
    int result = read_digits(&text, &whole);
    if (result < 0)
        return result;
    const char *fraction = NULL;
    if (*text == '.') {
        uint64_t ignored;
        fraction = ++text;
        result = read_digits(&text, &ignored);
        if (result < 0)
            return result;
    }
    for (size_t index = 0; index < sizeof(duration_units) / sizeof(duration_units[0]); index++) {
        if (strcmp(text, duration_units[index].name) != 0)
            continue;
        uint64_t ns;
        if (__builtin_mul_overflow(whole, duration_units[index].ns, &ns) || ns > INT64_MAX)
            return -ERANGE;
        // Digit by digit in whole nanoseconds; what is finer than that is cut off.
        uint64_t place_ns = duration_units[index].ns / 10;
        for (; fraction != NULL && fraction < text && place_ns > 0; fraction++, place_ns /= 10)
            ns += (uint64_t)(*fraction - '0') * place_ns;
        if (ns > INT64_MAX)
            return -ERANGE;
        *ret_ns = (int64_t)ns;
        return 0;
    }
    return -EINVAL;
}

// Print the one line of a refusal. `name` is the option as the user knows it, with its dashes.
static void complain(const struct options_program *program, const char *name, const char *value,
                     const char *reason)
{
    fprintf(stderr, "%s: %s%s%s: %s\n", program->name, name, value != NULL ? " " : "",
            value != NULL ? value : "", reason);
}

int options_refuse(const struct options_program *program, const char *long_name, const char *value,
                   const char *reason)
{
    char name[64];
    snprintf(name, sizeof(name), "--%s", long_name);
    complain(program, name, value, reason);
    return OPTIONS_EXIT_USAGE;
}

// A bound as the user would type it, durations in the largest unit that holds them exactly.
static void format_bound(const struct options_entry *entry, uint64_t value, char *text, size_t size)
{
    static const char *const names[] = {"ns", "us", "ms", "s"};
    size_t unit = 0;
    if (entry->duration_ns == NULL) {
        snprintf(text, size, "%llu", (unsigned long long)value);
        return;
    }
    for (; unit < 3 && value != 0 && value % 1000 == 0; unit++)
        value /= 1000;
    snprintf(text, size, "%llu%s", (unsigned long long)value, names[unit]);
}

static int refuse_number(const struct options_program *program, const struct options_entry *entry,
                         const char *value, int error)
{
    char reason[160], minimum[32], maximum[32];
    if (error == -EINVAL) {
        snprintf(reason, sizeof(reason), "Not a %s",
                 entry->duration_ns != NULL ? "duration such as 500ms, 2s or 1.5m"
                                            : "whole number such as 300, 64k or 2m");
    } else {
        format_bound(entry, entry->minimum, minimum, sizeof(minimum));
        format_bound(entry, entry->maximum, maximum, sizeof(maximum));
        snprintf(reason, sizeof(reason), "Must be from %s to %s", minimum, maximum);
    }
    return options_refuse(program, entry->long_name, value, reason);
}

// Convert a value and store it where the table says. The result is an exit status.
static int store(const struct options_program *program, const struct options_entry *entry,
                 const char *value)
{
    uint64_t number = 0;
    int64_t duration_ns = 0;
    int result;

    if (entry->flag != NULL) {
        *entry->flag = true;
        return OPTIONS_EXIT_DONE;
    }
    if (entry->text != NULL) {
        *entry->text = value;
        return OPTIONS_EXIT_DONE;
    }
    if (entry->duration_ns != NULL) {
        result = options_duration(value, &duration_ns);
        number = (uint64_t)duration_ns;
    } else {
        result = options_number(value, entry->bytes != NULL ? 1024 : 1000, &number);
    }
    if (result == 0 && (number < entry->minimum || number > entry->maximum))
        result = -ERANGE;
    if (result < 0)
        return refuse_number(program, entry, value, result);
    if (entry->duration_ns != NULL)
        *entry->duration_ns = duration_ns;
    else
        *(entry->bytes != NULL ? entry->bytes : entry->count) = number;
    return OPTIONS_EXIT_DONE;
}

// What the help shows in the left column: `-c, --connections N`.
static int format_name(const struct options_entry *entry, char *text, size_t size)
{
    char short_form[8] = "    ";
    if (entry->short_name != 0)
        snprintf(short_form, sizeof(short_form), "-%c, ", entry->short_name);
    return snprintf(text, size, "  %s--%s%s%s", short_form, entry->long_name,
                    entry->argument != NULL ? " " : "",
                    entry->argument != NULL ? entry->argument : "");
}

void options_print_help(const struct options_program *program, FILE *stream)
{
    char name[80];
    int width = 0;
    for (size_t index = 0; index < total_count(program); index++) {
        int length = format_name(entry_at(program, index), name, sizeof(name));
        width = length > width ? length : width;
    }
    fprintf(stream, "usage: %s %s\n%s\n\n", program->name,
            program->usage != NULL ? program->usage : "[options]", program->summary);
    for (size_t index = 0; index < total_count(program); index++) {
        const struct options_entry *entry = entry_at(program, index);
        format_name(entry, name, sizeof(name));
        fprintf(stream, "%-*s  ", width, name);
        for (const char *at = entry->help; *at != '\0'; at++) {
            if (*at == '\n')
                fprintf(stream, "\n%*s", width + 2, "");
            else
                fputc(*at, stream);
        }
        if (entry->initial != NULL)
            fprintf(stream, " (default %s)", entry->initial);
        fputc('\n', stream);
    }
    if (program->closing != NULL)
        fprintf(stream, "\n%s\n", program->closing);
}

// An option was recognised: take its value and store it. `joined` is the value that came in the
// same word, or NULL. False ends the reading.
static bool take(struct reader *reader, const struct options_entry *entry, const char *joined)
{
    reader->exit_status = OPTIONS_EXIT_DONE;
    if (entry == &builtin_entries[0]) {
        options_print_help(reader->program, stdout);
        return false;
    }
    if (entry == &builtin_entries[1]) {
        printf("%s (cede) %s\n", reader->program->name, OPTIONS_VERSION);
        return false;
    }
    if (entry->argument != NULL && joined == NULL) {
        if (reader->next == reader->word_count) {
            reader->exit_status =
                options_refuse(reader->program, entry->long_name, NULL, "Needs a value");
            return false;
        }
        joined = reader->words[reader->next++];
    }
    reader->exit_status = store(reader->program, entry, joined);
    return reader->exit_status == OPTIONS_EXIT_DONE;
}

static bool refuse_word(struct reader *reader, const char *word, const char *reason)
{
    complain(reader->program, word, NULL, reason);
    reader->exit_status = OPTIONS_EXIT_USAGE;
    return false;
}

static bool read_long(struct reader *reader, const char *word)
{
    const char *name = word + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const struct options_entry *entry = find_long(reader->program, name, length);
    if (entry == NULL)
        return refuse_word(reader, word, "Unknown option, see --help");
    if (equals != NULL && entry->argument == NULL)
        return refuse_word(reader, word, "Takes no value");
    return take(reader, entry, equals != NULL ? equals + 1 : NULL);
}

// A word of short options: flags may be joined, the first one with a value takes the rest of the
// word.
static bool read_short(struct reader *reader, const char *word)
{
    for (const char *at = word + 1; *at != '\0'; at++) {
        const struct options_entry *entry = find_short(reader->program, *at);
        if (entry == NULL)
            return refuse_word(reader, word, "Unknown option, see --help");
        if (entry->argument != NULL)
            return take(reader, entry, at[1] != '\0' ? at + 1 : NULL);
        if (!take(reader, entry, NULL))
            return false;
    }
    return true;
}

bool options_parse(const struct options_program *program, int argc, char *const argv[],
                   int *ret_exit_status)
{
    struct reader reader = {.program = program, .words = argv, .word_count = argc, .next = 1};

    // A default that its own table refuses is an error of the program: the line says which one it
    // is.
    for (size_t index = 0; index < program->entry_count; index++) {
        const struct options_entry *entry = &program->entries[index];
        if (entry->initial != NULL && store(program, entry, entry->initial) != OPTIONS_EXIT_DONE)
            abort();
    }
    while (reader.next < argc) {
        const char *word = argv[reader.next++];
        bool go_on;
        if (strncmp(word, "--", 2) == 0 && word[2] != '\0')
            go_on = read_long(&reader, word);
        else if (word[0] == '-' && word[1] != '\0' && word[1] != '-')
            go_on = read_short(&reader, word);
        else
            go_on = refuse_word(&reader, word, "Not an option, see --help");
        if (!go_on) {
            *ret_exit_status = reader.exit_status;
            return false;
        }
    }
    return true;
}

bool options_colors_welcome(FILE *stream)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return (no_color == NULL || no_color[0] == '\0') && isatty(fileno(stream)) &&
           terminal != NULL && strcmp(terminal, "dumb") != 0;
}
