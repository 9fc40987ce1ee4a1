/* SPDX-License-Identifier: MIT */
#include "story/schema.h"

#include "story/parts.h"
#include "story/validate.h"

#include <string.h>

/* A longer array's count costs Gemini's grammar too many states ("too many states for serving"). */
#define GEMINI_COUNT_MAX 6
#define ANY ((size_t)-1) /* an element whose place is not known: one schema for all */

/* A schema while it is made. Every json_* call takes NULL, so one flag at the end is enough. */
struct making {
    const struct story_request *request;
    enum story_schema_shape shape;
    const struct story_slot *rows;
    size_t n;
    bool failed;
};

static void set(struct making *m, json_t *object, const char *key, json_t *value_own)
{
    m->failed = json_object_set_new(object, key, value_own) != 0 || m->failed;
}

static void append(struct making *m, json_t *array, json_t *value_own)
{
    m->failed = json_array_append_new(array, value_own) != 0 || m->failed;
}

static json_t *typed(struct making *m, const char *type)
{
    json_t *schema = json_object();
    set(m, schema, "type", json_string(type));
    return schema;
}

/* One allowed value; PLAIN says only its type. */
static json_t *fixed(struct making *m, const char *type, json_t *value_own)
{
    json_t *schema = typed(m, type);
    if (m->shape == STORY_SCHEMA_PLAIN) {
        json_decref(value_own);
        return schema;
    }
    json_t *values = json_array();
    append(m, values, value_own);
    set(m, schema, "enum", values);
    return schema;
}

static json_t *array_of(struct making *m, json_t *items_own)
{
    json_t *schema = typed(m, "array");
    set(m, schema, "items", items_own);
    return schema;
}

static void set_count(struct making *m, json_t *array, size_t min, size_t max)
{
    set(m, array, "minItems", json_integer((json_int_t)min));
    set(m, array, "maxItems", json_integer((json_int_t)max));
}

static json_t *all_keys(struct making *m, json_t *properties)
{
    json_t *keys = json_array();
    const char *key;
    json_t *ignored;
    json_object_foreach(properties, key, ignored)
    {
        append(m, keys, json_string(key));
    }
    return keys;
}

/* An object of these properties and, where the shape can say so, no others. `required_own` NULL:
 * all of them; empty: none. */
static json_t *object_of(struct making *m, json_t *properties_own, json_t *required_own)
{
    json_t *schema = typed(m, "object");
    json_t *required = required_own == NULL ? all_keys(m, properties_own) : required_own;
    set(m, schema, "properties", properties_own);
    if (json_array_size(required) == 0) {
        json_decref(required);
    } else {
        set(m, schema, "required", required);
    }
    if (m->shape == STORY_SCHEMA_FULL || m->shape == STORY_SCHEMA_STRICT) {
        set(m, schema, "additionalProperties", json_false());
    }
    return schema;
}

static json_t *list(struct making *m, const struct story_slot *slot)
{
    json_t *schema = array_of(m, typed(m, "string"));
    bool outermost = strchr(slot->path, '*') == NULL;
    if (m->shape == STORY_SCHEMA_FULL || (m->shape == STORY_SCHEMA_GEMINI && outermost)) {
        set_count(m, schema, slot->min_items, slot->max_items);
    }
    return schema;
}

/* One property per other character. PLAIN has one schema for all elements, so all five may be. */
static json_t *relations(struct making *m, size_t index)
{
    json_t *properties = json_object();
    for (size_t i = 0; i < STORY_CAST; i++) {
        if (i != index) {
            set(m, properties, story_character_ids[i], typed(m, "string"));
        }
    }
    return object_of(m, properties, index == ANY ? json_array() : NULL);
}

static json_t *focus(struct making *m, const struct story_slot *slot)
{
    json_t *item = typed(m, "string"), *ids = json_array();
    for (size_t i = 0; i < STORY_CAST; i++) {
        append(m, ids, json_string(story_character_ids[i]));
    }
    set(m, item, "enum", ids);
    json_t *schema = array_of(m, item);
    set_count(m, schema, slot->min_items, slot->max_items);
    return schema;
}

/* A counted consequence: a pattern where the shape allows one, else a choice of values. */
static json_t *signed_number(struct making *m)
{
    static const char *const steps[] = {"-20", "-10", "-5", "+0", "+5", "+10", "+20"};
    json_t *schema = typed(m, "string");
    if (m->shape == STORY_SCHEMA_FULL) {
        set(m, schema, "pattern", json_string("^[+-][0-9]{1,3}$"));
    } else if (m->shape != STORY_SCHEMA_PLAIN) {
        json_t *values = json_array();
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
            append(m, values, json_string(steps[i]));
        }
        set(m, schema, "enum", values);
    }
    return schema;
}

/* FULL leaves the keys beside "mood" free; what they hold is a signed number. Not a bound of the
 * network's but of what is asked for: so every backend of vLLM can keep it (they take minProperties
 * only where all named properties are required, and no patternProperties). */
static json_t *consequences(struct making *m)
{
    static const char *const counted[] = {"relationship_ally", "relationship_rival",
                                          "resource_supplies"};
    bool full = m->shape == STORY_SCHEMA_FULL;
    json_t *properties = json_object();
    set(m, properties, "mood", typed(m, "string"));
    for (size_t i = 0; !full && i < sizeof counted / sizeof counted[0]; i++) {
        set(m, properties, counted[i], signed_number(m));
    }
    json_t *schema = object_of(m, properties, NULL);
    if (full) {
        set(m, schema, "minProperties", json_integer(2));
        set(m, schema, "additionalProperties", signed_number(m));
    }
    return schema;
}

static json_t *choices(struct making *m, const struct story_slot *slot, size_t index)
{
    json_t *properties = json_object(), *required = json_pack("[s, s]", "text", "consequences");
    set(m, properties, "text", typed(m, "string"));
    if (m->shape == STORY_SCHEMA_FULL) {
        json_t *next = typed(m, "integer");
        int chapter = m->request->chapter_ids[index];
        set(m, next, "minimum",
            json_integer(chapter < STORY_CHAPTERS ? chapter + 1 : STORY_CHAPTERS));
        set(m, next, "maximum", json_integer(STORY_CHAPTERS));
        set(m, properties, "nextChapter", next);
    }
    set(m, properties, "consequences", consequences(m));
    json_t *schema = array_of(m, object_of(m, properties, required));
    if (m->shape == STORY_SCHEMA_FULL) {
        set_count(m, schema, slot->min_items, slot->max_items);
    }
    return schema;
}

static json_t *id_value(const struct making *m, size_t index)
{
    return m->request->task == STORY_CHARACTERS ? json_string(story_character_ids[index])
           : m->request->task == STORY_ARC      ? json_integer((json_int_t)index + 1)
                                                : json_integer(m->request->chapter_ids[index]);
}

static json_t *element_id(struct making *m, size_t index)
{
    const char *type = m->request->task == STORY_CHARACTERS ? "string" : "integer";
    if (index != ANY) {
        return fixed(m, type, id_value(m, index));
    }
    json_t *schema = typed(m, type);
    if (m->shape != STORY_SCHEMA_PLAIN) {
        json_t *values = json_array();
        for (size_t i = 0; i < story_array_length(m->request); i++) {
            append(m, values, id_value(m, i));
        }
        set(m, schema, "enum", values);
    }
    return schema;
}

static json_t *act_chapters(struct making *m, const char *path)
{
    json_t *schema = typed(m, "array"), *items = json_array();
    for (int act = 0; act < STORY_ACTS; act++) {
        char own[STORY_PATH_MAX];
        (void)snprintf(own, sizeof own, "/arcs/%s/chapters", story_act_names[act]);
        for (int i = 1; i <= 3 && strcmp(own, path) == 0; i++) {
            append(m, items, fixed(m, "integer", json_integer((json_int_t)act * 3 + i)));
        }
    }
    set(m, schema, "prefixItems", items);
    set_count(m, schema, 3, 3);
    return schema;
}

static json_t *computed(struct making *m, const struct story_slot *slot, size_t index)
{
    if (strcmp(slot->name, "id") == 0) {
        return element_id(m, index);
    }
    return strcmp(slot->name, "storyProgress") == 0 ? typed(m, "number")
                                                    : act_chapters(m, slot->path);
}

/* `index` is ANY only in shapes that leave out what depends on the place. */
static json_t *slot_schema(struct making *m, const struct story_slot *slot, size_t index)
{
    switch (slot->kind) {
    case STORY_SLOT_LINE:
    case STORY_SLOT_PARAGRAPH:
    case STORY_SLOT_TEXT:
        return typed(m, "string");
    case STORY_SLOT_LIST:
        return list(m, slot);
    case STORY_SLOT_RELATIONS:
        return relations(m, index);
    case STORY_SLOT_IDS:
        return focus(m, slot);
    case STORY_SLOT_CHOICES:
        return choices(m, slot, index);
    case STORY_SLOT_COMPUTED:
        return computed(m, slot, index);
    }
    return NULL;
}

/* What story_repair fills in; element ids are asked for all the same, as a guide. */
static bool is_repaired(const struct story_slot *slot)
{
    return slot->kind == STORY_SLOT_IDS ||
           (slot->kind == STORY_SLOT_COMPUTED && strcmp(slot->name, "id") != 0);
}

static json_t *object_at(struct making *m, const char *prefix, size_t index);

/* The array under `path`: FULL says every element in its place; the other shapes, which count no
 * elements, one schema for all; for characters, whose relationships differ, one of five. */
static json_t *array_at(struct making *m, const char *path)
{
    char prefix[STORY_PATH_MAX + 2];
    size_t n = story_array_length(m->request);
    bool full = m->shape == STORY_SCHEMA_FULL;
    bool each = full || (m->request->task == STORY_CHARACTERS && m->shape != STORY_SCHEMA_PLAIN);
    json_t *schema = typed(m, "array"), *items = each ? json_array() : NULL;
    (void)snprintf(prefix, sizeof prefix, "%s/*", path);
    for (size_t i = 0; each && i < n; i++) {
        append(m, items, object_at(m, prefix, i));
    }
    if (full) {
        set(m, schema, "prefixItems", items);
    } else if (each) {
        json_t *any = json_object();
        set(m, any, "anyOf", items);
        set(m, schema, "items", any);
    } else {
        set(m, schema, "items", object_at(m, prefix, ANY));
    }
    if (full || (m->shape == STORY_SCHEMA_GEMINI && n <= GEMINI_COUNT_MAX)) {
        set_count(m, schema, n, n);
    }
    return schema;
}

/* The object whose members' paths begin with `prefix` ("" the answer): a member is a slot, an array
 * of elements or an object of its own. Three levels at most: so deep is the slot table. */
static json_t *object_at(struct making *m, const char *prefix, size_t index)
{
    size_t at = strlen(prefix);
    json_t *properties = json_object(), *required = json_array();
    for (size_t i = 0; i < m->n; i++) {
        const struct story_slot *slot = &m->rows[i];
        bool left_out = is_repaired(slot) && m->shape != STORY_SCHEMA_FULL;
        if (strncmp(slot->path, prefix, at) != 0 || slot->path[at] != '/' || left_out) {
            continue;
        }
        char path[STORY_PATH_MAX], *name = path + at + 1;
        (void)snprintf(path, sizeof path, "%s", slot->path);
        char *end = strchr(name, '/');
        if (end != NULL) {
            *end = '\0';
        }
        if (json_object_get(properties, name) == NULL) {
            json_t *member = end == NULL     ? slot_schema(m, slot, index)
                             : end[1] == '*' ? array_at(m, path)
                                             : object_at(m, path, index);
            set(m, properties, name, member);
            if (end != NULL || !is_repaired(slot)) {
                append(m, required, json_string(name));
            }
        }
    }
    return object_of(m, properties, required);
}

json_t *story_schema(const struct story_request *request, enum story_schema_shape shape,
                     const char *const *wanted, size_t n_wanted)
{
    struct making m = {.request = request, .shape = shape};
    struct story_part parts[STORY_PARTS_MAX];
    size_t n = story_parts(request, wanted, n_wanted, parts);
    json_t *schema = NULL;
    m.rows = story_slots(request->task, &m.n);
    if (n == 0) {
        schema = object_at(&m, "", ANY);
    } else {
        json_t *properties = json_object();
        for (size_t i = 0; i < n; i++) {
            set(&m, properties, parts[i].key, slot_schema(&m, parts[i].slot, parts[i].index));
        }
        schema = object_of(&m, properties, NULL);
    }
    if (m.failed) {
        json_decref(schema);
        return NULL;
    }
    return schema;
}
