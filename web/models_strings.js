// The texts of the page Models.
export const strings = {
  en: {
    title: "Models", lead: "What fits this machine, and what is in use.", "in.use": "In use", "in.use.none": "No local model is in use. Another generator answers, or none.",
    multiplier: "A local model's answers count × 1.5, a custom one's × 1.0, an API's × 0.5.", devices: "Memory", "device.memory": "Main memory", free: "{free} of {total} free", disk: "{n} free on the disk of the models",
    speed: "{n} tokens/s", context: "{n} tokens of context", sequences: "{n} texts at once", copies: "{n} copies ({where})", smaller: "Smaller than planned: {why}",
    models: "Models", model: "Model", writes: "Writes", "lang.en": "English", "lang.zh": "Chinese", file: "File", memory: "Memory needed", licence: "Licence", do: "Action",
    fits: "Fits", "fits.slow": "Fits, but slow", "fits.not": "Does not fit", here: "here", gated: "gated", use: "Use", "use.name": "Use {name}", pull: "Download", "pull.name": "Download {name}",
    "use.begun": "{name} is being loaded", "use.wait": "{name} is being loaded. What was in use answers until it is ready.", "use.done": "{name} is in use now", "use.refused": "{name} could not be put to use; the one before goes on",
    "only.fits": "Only what fits", "only.zh": "Writes Chinese", none: "No model is like that", "none.text": "Take a filter away.",
    "pull.progress": "Download", "pull.cancel": "Cancel", "pull.starts": "Asking the hub…", "pull.now": "Downloading…", "pull.done": "{name} is here now", "pull.ended": "The download of {name} ended", "pull.failed": "{name} could not be downloaded",
    of: "{done} of {total}", left: "{s} left",
    "gated.title": "{name} is gated", "gated.text": "Its owner gives it only to accounts that have agreed to its licence.", "gated.1": "Agree to the licence, logged in, on", "gated.2": "Make a token for reading in that account's settings.",
    "gated.3": "Start the miner with the token in", "gated.go": "Download with the token",
  },
  zh: {
    title: "模型", lead: "适合这台机器的模型，以及正在使用的模型。", "in.use": "使用中", "in.use.none": "没有使用本地模型。由其他生成器回答，或者无人回答。",
    multiplier: "本地模型的答案按 × 1.5 计分，自定义按 × 1.0，API 按 × 0.5。", devices: "内存", "device.memory": "主内存", free: "{total} 中空闲 {free}", disk: "模型所在磁盘空闲 {n}",
    speed: "{n} 词元/秒", context: "上下文 {n} 词元", sequences: "同时 {n} 段文本", copies: "{n} 份（{where}）", smaller: "比计划的小：{why}",
    models: "模型", model: "模型", writes: "语言", "lang.en": "英文", "lang.zh": "中文", file: "文件", memory: "所需内存", licence: "许可证", do: "操作",
    fits: "放得下", "fits.slow": "放得下，但很慢", "fits.not": "放不下", here: "已下载", gated: "需授权", use: "使用", "use.name": "使用 {name}", pull: "下载", "pull.name": "下载 {name}",
    "use.begun": "正在载入 {name}", "use.wait": "正在载入 {name}。准备好之前由原来的模型回答。", "use.done": "现在使用 {name}", "use.refused": "无法使用 {name}，继续使用原来的模型",
    "only.fits": "只看放得下的", "only.zh": "会写中文", none: "没有这样的模型", "none.text": "请去掉一个筛选条件。",
    "pull.progress": "下载进度", "pull.cancel": "取消", "pull.starts": "正在询问模型库…", "pull.now": "正在下载…", "pull.done": "{name} 已下载", "pull.ended": "{name} 的下载已结束", "pull.failed": "{name} 下载失败",
    of: "{done} / {total}", left: "还需 {s}",
    "gated.title": "{name} 需要授权", "gated.text": "它的所有者只提供给同意其许可证的账户。", "gated.1": "登录后在此页同意许可证：", "gated.2": "在该账户的设置中创建一个只读令牌。",
    "gated.3": "启动矿工时把令牌放入", "gated.go": "用令牌下载",
  },
};
