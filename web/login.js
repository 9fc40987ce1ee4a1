// SPDX-License-Identifier: MIT
// Sends the token and goes on to the dashboard. Needs nothing of it.
const texts = {
  en: {
    label: 'Token', go: 'Log in', hint: 'What the variable named by admin.token_env holds where the miner runs.',
    401: 'That is not the token.', 429: 'Too many wrong tokens: try again in a minute.',
    0: 'The miner does not answer: does it run?', other: 'The miner refused: ',
  },
  zh: {
    label: '令牌', go: '登录', hint: '运行矿工的机器上，admin.token_env 所指变量的值。',
    401: '令牌不对。', 429: '错误次数太多：请一分钟后再试。',
    0: '矿工没有应答：它在运行吗？', other: '矿工拒绝了：',
  },
};
const chosen = () => { try { return localStorage.getItem('storyfi.language'); } catch { return null; } };
const language = (chosen() || navigator.language).startsWith('zh') ? 'zh' : 'en';
const t = texts[language];
const $ = (id) => document.getElementById(id);

document.documentElement.lang = language;
for (const id of ['label', 'go', 'hint']) $(id).textContent = t[id];

async function logIn() {
  const response = await fetch('/login', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, credentials: 'same-origin',
    body: JSON.stringify({ token: $('token').value.trim() }),
  }).catch(() => null);
  if (response?.ok) {
    location.replace('/' + location.hash);
    return;
  }
  const said = await response?.json().catch(() => ({}));
  $('said').textContent = t[response?.status ?? 0] ?? t.other + (said?.message ?? response.status);
  $('token').select();
}

$('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  $('go').disabled = true;
  $('said').textContent = '';
  await logIn();
  $('go').disabled = false;
});
