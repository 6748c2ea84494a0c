/** A directory of two hosts, of which the second has no secret and is disabled. */
export const files = {
  "servers.yml": `hosts:
  - {alias: web-1, host: 10.0.0.1, credentials: good, tags: [web, prod], description: "Front end"}
  - {alias: db-1, host: db.example.org, port: 2222, credentials: bad, tags: [prod]}
`,
  "credentials.yml": `entries:
  - {name: good, username: u, password: p}
  - {name: bad, username: u, password_secret: is_missing}
`,
  "policy.yml": `rules:
  - {action: allow, commands: ["uptime"]}
`
}
