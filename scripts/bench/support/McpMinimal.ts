/**
 * The least that the SDK needs to answer a call: what the rate of calls is compared with. It answers every tool with the
 * fields of `ssh_ping`, as text and as structured content, so that both write the same number of bytes.
 */
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js"
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js"

const server = new Server({ name: "minimal", version: "1.0.0" }, { capabilities: { tools: {} } })
server.setRequestHandler(ListToolsRequestSchema, () => ({
  tools: [{ name: "ssh_ping", inputSchema: { type: "object" as const } }]
}))
server.setRequestHandler(CallToolRequestSchema, () => {
  const structuredContent = {
    status: "pong",
    version: "2.0.0",
    uptime_seconds: Math.floor(process.uptime()),
    hosts: 1,
    tasks_running: 0,
    config_problems: []
  }
  return {
    content: [{ type: "text" as const, text: JSON.stringify(structuredContent) }],
    structuredContent,
    isError: false
  }
})
await server.connect(new StdioServerTransport())
