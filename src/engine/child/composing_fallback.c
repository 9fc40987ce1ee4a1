/* SPDX-License-Identifier: MIT */
#include "engine/child/composing.h"

#include "base/utf8.h"

#include <string.h>

/* Sentences for a chapter whose text broke off; whole paragraphs, told of {a} and {b}. */
static const char *const paragraphs[CUE_LANGUAGES][8] = {
    [CUE_EN] =
        {
            "{a} waited until the last of the noise had died away. The place looked the same as "
            "before, "
            "and yet nothing in it was the same. Somewhere a door moved in the wind, and {a} "
            "counted the "
            "breaths until it closed.",
            "\"You knew,\" {a} said at last. {b} did not deny it. They stood a while without "
            "speaking, and "
            "each of them waited for the other to say what both of them were thinking.",
            "The way on was narrow and steep. They took it slowly, one behind the other, and "
            "stopped "
            "wherever the ground was firm enough to listen. Twice they heard steps behind them, "
            "and twice "
            "the steps went away.",
            "{b} spoke first. \"If we go back now, nobody will blame us.\" {a} thought about it "
            "longer than "
            "either of them liked. Then {a} shook the dust from the map and folded it away.",
            "It began to rain, softly at first. The lights below went out one after the other, "
            "until only "
            "a single window was left, high up and far away. {a} kept looking at it, as if "
            "somebody there "
            "were looking back.",
            "There was a price, as there always is. {a} paid it without a word, and {b} pretended "
            "not to "
            "see. Later they would talk about it, when there was time, and bread, and a fire to "
            "sit by.",
            "They slept in turns. When {a} woke, the sky had gone pale in the east and {b} was "
            "drawing "
            "lines in the sand: the way they had come, the way that was left, and the place where "
            "the two "
            "of them did not agree.",
            "In the morning everything was still. {a} tightened every strap and buckle twice. "
            "Whatever "
            "waited ahead, it had waited long enough, and so had they.",
        },
    [CUE_ZH] =
        {
            "{a}"
            "一直等到最后的声响完全消失。四周看起来和从前一样，可是一切都已经不同了。远处有一扇门在"
            "风里轻轻摇晃，{a}数着自己的呼吸，直到那扇门慢慢地关上。",
            "“你早就知道，”{a}终于开口说。{b}"
            "没有否认。两个人站了很久，谁也没有说话，都在等对方说出那句藏在心里的话。",
            "前面的路又窄又陡。他们一前一后，走得很慢，每到一处平坦的地方就停下来仔细听。有两次，身"
            "后传来了脚步声，又有两次，脚步声慢慢走远了。",
            "{b}先开了口：“如果我们现在回去，没有人会责怪我们。”{a}"
            "想了很久，比两个人希望的还要久，然后抖掉地图上的灰尘，把它折好收了起来。",
            "雨开始下了，起初很轻。山下的灯一盏接一盏地熄灭，最后只剩下一扇窗户还亮着，又高又远。{"
            "a}一直望着它，仿佛那里也有人正在望着自己。",
            "一切都有代价，从来都是这样。{a}一句话也没有说，默默地付出了代价，{b}"
            "假装没有看见。以后他们会谈起这件事，等到有了时间，有了面包，也有了可以围坐的火堆。",
            "他们轮流睡觉。{a}醒来的时候，东方的天空已经发白，{b}"
            "正在沙地上画线：走过的路，剩下的路，还有两个人意见不同的那个地方。",
            "早晨，一切都很安静。{a}"
            "把每一根带子都检查了两遍。无论前面有什么在等着，它都已经等得够久了，而他们也一样。",
        },
};

static const char *const titles[CUE_LANGUAGES][STORY_CHAPTERS] = {
    [CUE_EN] = {"An Ordinary Morning", "The Message", "Leaving Home", "The Long Road",
                "A Hard Lesson", "What the Enemy Knew", "The Trap", "A Dangerous Bargain",
                "The Darkest Hour", "One Last Chance", "Face to Face", "The Way Home"},
    [CUE_ZH] = {"平静的早晨", "一封来信", "离开家乡", "漫长的路", "艰难的一课", "敌人的秘密",
                "陷阱", "危险的交易", "最黑暗的时刻", "最后的机会", "面对面", "回家的路"},
};

static void add_content(struct composer *c, struct slot *s, struct sf_buf *out)
{
    size_t start = sampler_next(&c->rng) % 8;
    sf_buf_add_str(out, sf_buf_str(&s->so_far));
    for (size_t i = 0; i < 24 && sf_utf8_count(sf_buf_str(out)) < s->min; i++) {
        if (out->n > 0)
            sf_buf_puts(out, "\n\n");
        (void)vars_expand(&s->vars, paragraphs[c->lang][(start + i) % 8], out);
    }
}

/* The fallback sentence of the cue; names longer than foreseen may take it over its bound. */
void composer_fallback(struct composer *c, struct slot *s, struct sf_buf *out)
{
    if (s->form == FORM_CONTENT) {
        add_content(c, s, out);
        return;
    }
    const char *number = vars_get(&s->vars, "chapter");
    uint64_t id = 0;
    if (s->cue == CUE_CHAPTER_TITLE && sf_scan_u64(sf_str(number), STORY_CHAPTERS, &id) && id > 0) {
        sf_buf_puts(out, titles[c->lang][id - 1]);
        return;
    }
    const char *tmpl = c->book->cues[s->cue].fallback;
    (void)vars_expand(&s->vars, tmpl ? tmpl : "", out);
    struct sf_str head = sf_utf8_head(sf_buf_str(out), s->max);
    if (out->err == SF_OK && head.n < out->n && head.n > 0) {
        out->n = head.n;
        out->p[out->n] = '\0';
    }
}
