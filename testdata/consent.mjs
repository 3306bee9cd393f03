// A person with a real browser and a page that is up to no good: consent.mjs DIR
// URL goes to URL, has that page try to answer the sign-in, then lets the client
// in as a person does, and writes what is shown at last to DIR/page.
import { spawn } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'

const [dir, url] = process.argv.slice(2)
mkdirSync(dir, { recursive: true })
const chromium = spawn('chromium', [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-breakpad', '--no-first-run', '--disable-background-networking',
  `--user-data-dir=${dir}/profile`, `--proxy-server=${process.env.HTTPS_PROXY}`, '--ignore-certificate-errors',
  '--remote-debugging-pipe', 'about:blank',
], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })

// The protocol of the developer tools: JSON between zero bytes.
let last = 0
let unread = ''
const waiting = new Map()
chromium.stdio[4].setEncoding('utf8').on('data', (text) => {
  const parts = (unread + text).split('\0')
  unread = parts.pop()
  for (const part of parts) {
    const message = JSON.parse(part)
    waiting.get(message.id)?.(message.result)
  }
})
const call = (method, params = {}, sessionId) => new Promise((resolve) => {
  waiting.set(++last, resolve)
  chromium.stdio[3].write(JSON.stringify({ id: last, method, params, sessionId }) + '\0')
})

const open = async () => {
  const { targetId } = await call('Target.createTarget', { url: 'about:blank' })
  return (await call('Target.attachToTarget', { targetId, flatten: true })).sessionId
}
const sessionId = await open()
const run = async (expression, tab = sessionId) =>
  (await call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }, tab))?.result?.value
const shows = async (expression, tab) => {
  for (let i = 0; !await run(expression, tab); i++) {
    if (i === 600) throw new Error('not shown: ' + expression)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

await call('Page.navigate', { url }, sessionId)
await shows(`document.querySelector('button[name=person]') !== null`)
await run(`(async () => {
  const asked = new URL(location).searchParams
  const forged = asked.get('redirect_uri') + '?code=forged&state=' + asked.get('state')
  for (const mode of ['no-cors', 'cors']) await fetch(forged, { mode }).catch(() => {})
  await new Promise((done) => { const i = new Image(); i.onload = i.onerror = done; i.src = forged })
  await new Promise((done) => { const f = document.createElement('iframe'); f.onload = f.onerror = done; f.src = forged; document.body.append(f) })
})()`)
// A link that somebody has sent leads to a window of its own.
const sent = await open()
const uri = await run(`new URL(location).searchParams.get('redirect_uri')`)
await call('Page.navigate', { url: uri + '?code=forged&state=' + 'A'.repeat(26) }, sent)
await shows(`location.pathname === '/oauth/callback' && document.readyState === 'complete'`, sent)
const refused = await run(`document.body.innerText`, sent)
await run(`document.querySelector('button[name=person]').click()`)
await shows(`location.pathname === '/oauth/callback' && document.readyState === 'complete'`)
writeFileSync(dir + '/new', await run(`location.host + '\\n' + document.title + '\\n' + document.body.innerText + '\\n' + getComputedStyle(document.body).display`) + '\n' + refused.split('\n')[0])
// The history holds a code, which is good no more.
chromium.on('exit', () => {
  rmSync(dir + '/profile', { recursive: true, force: true, maxRetries: 50, retryDelay: 100 })
  renameSync(dir + '/new', dir + '/page')
})
await call('Browser.close')
