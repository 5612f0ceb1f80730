'use strict'
const test = require('node:test')
const assert = require('node:assert')
const routes = require('route-table')
const guestbook = require('../lib/guestbook')

test('who signed is on the page', () => {
  const book = guestbook()
  book.sign('Ada')
  assert.strictEqual(book.page(), '<h1>Guests</h1><ul><li>Ada</li></ul>')
})

test('a name is no markup', () => {
  const book = guestbook()
  book.sign('<b>')
  assert.match(book.page(), /<li>&lt;b&gt;<\/li>/)
})

test('a route has its parameters', () => {
  const table = routes({ 'GET /a/:b': (params) => params.b })
  assert.strictEqual(table('GET', '/a/c%20d'), 'c d')
  assert.strictEqual(table('GET', '/a'), undefined)
})
