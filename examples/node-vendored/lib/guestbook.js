'use strict'
const escape = require('escape-markup')

/** A guestbook: the names of who signed, as a page. */
module.exports = function guestbook () {
  const names = []
  return {
    sign (name) {
      names.push(name)
      return `welcome, ${name}`
    },
    page () {
      const items = names.map((name) => `<li>${escape(name)}</li>`)
      return `<h1>Guests</h1><ul>${items.join('')}</ul>`
    }
  }
}
