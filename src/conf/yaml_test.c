/* SPDX-License-Identifier: MIT */
#include "conf/yaml.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_json(const char *yaml, const char *expected)
{
    json_t *value = NULL;
    struct sf_errbuf eb = {0};
    enum sf_err err = sf_yaml_to_json(sf_str(yaml), YAML_LIMITS_DEFAULT, &value, &eb);
    if (err != SF_OK) {
        fail_msg("%s: %s", yaml, eb.text);
    }
    struct sf_buf out;
    sf_buf_init(&out, 1U << 20);
    json_print(value, &out);
    assert_string_equal(sf_buf_z(&out), expected);
    sf_buf_fini(&out);
    json_decref(value);
}

static void scalars_mean_what_pyyaml_reads(void **state)
{
    (void)state;
    assert_json("[true, Yes, on, false, NO, Off]", "[true,true,true,false,false,false]");
    assert_json("[null, ~, Null, '']", "[null,null,null,\"\"]");
    assert_json("[1, -2, +3, 0, 1.5, -2e3]", "[1,-2,3,0,1.5,-2000.0]");
    assert_json("['true', \"12\", 4bit, cuda:1, 12:30, 1.2.3]",
                "[\"true\",\"12\",\"4bit\",\"cuda:1\",\"12:30\",\"1.2.3\"]");
    assert_json("[--1, +-1, ., -, 1e, .inf, .nan]",
                "[\"--1\",\"+-1\",\".\",\"-\",\"1e\",\".inf\",\".nan\"]");
    assert_json("!!str 12", "\"12\"");
    assert_json("a: |\n  two\n  lines\nb: >\n  one\n  line\n",
                "{\"a\":\"two\\nlines\\n\",\"b\":\"one line\\n\"}");
}

static void structures_and_empty_documents(void **state)
{
    (void)state;
    assert_json("", "null");
    assert_json("# only a comment\n", "null");
    assert_json("a: {b: [1, {c: d}], e: }\n", "{\"a\":{\"b\":[1,{\"c\":\"d\"}],\"e\":null}}");
    assert_json("\xef\xbb\xbf"
                "a: 1\n",
                "{\"a\":1}");
    assert_json("---\na: 1\n...\n", "{\"a\":1}");
    assert_json("标题: 星际\n", "{\"标题\":\"星际\"}");
}

static void lines_are_known(void **state)
{
    (void)state;
    struct yaml_node *root = NULL;
    assert_int_equal(sf_yaml_parse(SF_STR("a:\n  b: 1\n\n  c:\n    - x\n    - y\n"),
                                   YAML_LIMITS_DEFAULT, &root, NULL),
                     SF_OK);
    const struct yaml_node *b = root->child->child;
    assert_int_equal(root->child->line, 1);
    assert_int_equal(b->line, 2);
    assert_int_equal(b->next->line, 4);
    assert_int_equal(b->next->child->next->line, 6);
    sf_yaml_free(root);
}

static void each_reason_to_refuse(void **state)
{
    static const struct {
        const char *yaml;
        enum sf_err err;
        const char *says;
    } rows[] = {
        {"a: [1, 2", SF_EPARSE, "line "},
        {"a: 1\n b: 2\n", SF_EPARSE, "line 2"},
        {"a: &x 1\nb: *x\n", SF_EPARSE, "line 2: aliases"},
        {"*x : 1\n", SF_EPARSE, "alias"},
        {"a: !python/object 1\n", SF_EPARSE, "line 1: tags"},
        {"a: !!binary aGk=\n", SF_EPARSE, "line 1: tags"},
        {"? [a, b]\n: 1\n", SF_EPARSE, "a key must be a plain word"},
        {"a: \"x\\0y\"\n", SF_EPARSE, "NUL"},
        {"\"a\\0b\": 1\n", SF_EPARSE, "NUL"},
        {"a: 1\n---\nb: 2\n", SF_EPARSE, "line 2: a second document"},
        {"a: 1\nb: 2\na: 3\n", SF_EPARSE, "line 3: the key \"a\" is there twice"},
        {"a: \xff\xfe\n", SF_EPARSE, "line "},
        {"a:\tb: 1\n\tc: 2\n", SF_EPARSE, "line "},
        {"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", SF_ELIMIT, "nested too deep"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *value = NULL;
        struct sf_errbuf eb = {0};
        enum sf_err err = sf_yaml_to_json(sf_str(rows[i].yaml), YAML_LIMITS_DEFAULT, &value, &eb);
        if (err != rows[i].err || strstr(eb.text, rows[i].says) == NULL || value != NULL) {
            fail_msg("%s: %d %s", rows[i].yaml, err, eb.text);
        }
    }
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    struct yaml_limits small = {.max_bytes = 10, .max_depth = 4, .max_nodes = 4};
    struct yaml_node *root = NULL;
    struct sf_errbuf eb;
    assert_int_equal(sf_yaml_parse(SF_STR("a: 12345678"), small, &root, &eb), SF_ELIMIT);
    assert_int_equal(sf_yaml_parse(SF_STR("[1,2,3,4]"), small, &root, &eb), SF_ELIMIT);
    assert_non_null(strstr(eb.text, "too many values"));
    assert_int_equal(sf_yaml_parse(SF_STR("[1,2,3]"), small, &root, &eb), SF_OK);
    sf_yaml_free(root);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    const struct sf_str text = SF_STR("a: {b: [1, x], c: y}\nd: z\n");
    for (long n = 0;; n++) {
        json_t *value = NULL;
        sf_mem_fail_after(n, 1);
        enum sf_err err = sf_yaml_to_json(text, YAML_LIMITS_DEFAULT, &value, NULL);
        sf_mem_fail_after(-1, 0);
        json_decref(value);
        if (err == SF_OK) {
            assert_true(n > 5);
            return;
        }
        assert_int_equal(err, SF_ENOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_mean_what_pyyaml_reads),
        cmocka_unit_test(structures_and_empty_documents),
        cmocka_unit_test(lines_are_known),
        cmocka_unit_test(each_reason_to_refuse),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
