'use strict'
const http = require('http')
const routes = require('route-table')
const guestbook = require('./lib/guestbook')

const book = guestbook()
const table = routes({
  'GET /': () => book.page(),
  'GET /health': () => 'well',
  'GET /version': () => process.env.APP_VERSION || 'none',
  'POST /sign/:name': (params) => book.sign(params.name)
})

const server = http.createServer((request, response) => {
  const answer = table(request.method, request.url)
  response.statusCode = answer === undefined ? 404 : 200
  response.end((answer === undefined ? 'not here' : answer) + '\n')
})

process.on('SIGINT', () => server.close(() => process.exit(0)))
server.listen(process.env.PORT || 8080, () => console.log(`listening on port ${server.address().port}`))
