-- WWEP, the WICED Wi-Fi Example Protocol, for Wireshark and tshark 4.0 and later.
--
-- Install: copy this file into the folder that Wireshark names under Help, About, Folders, Personal
-- Lua Plugins (~/.local/lib/wireshark/plugins), or: wireshark -X lua_script:wwep.lua FILE
-- For root, Wireshark 4.4 and later run only what lies in the folder of Global Lua Plugins.
--
-- It dissects the port in the clear and the one over TLS (preferences say which), and on any other
-- port streams that begin with a whole frame or reply. Over TLS the capture must carry the keys.
-- What a capture rebuilt from a recording has on the secure port is in the clear; that is told apart
-- from TLS by its first bytes.

local wwep = Proto("wwep", "WICED Wi-Fi Example Protocol")
local secure = Proto("wwep_secure", "WWEP over TLS")

wwep.prefs.plain_ports = Pref.range("Ports in the clear", "27708", "TCP ports", 65535)
wwep.prefs.secure_ports = Pref.range("Ports over TLS", "40508", "TCP ports", 65535)

local f = {
    command = ProtoField.string("wwep.command", "Command"),
    device = ProtoField.uint16("wwep.device", "Device", base.HEX),
    register = ProtoField.uint8("wwep.register", "Register", base.HEX_DEC),
    value = ProtoField.uint16("wwep.value", "Value", base.HEX_DEC),
    is_request = ProtoField.bool("wwep.request", "Request"),
    line_end = ProtoField.bytes("wwep.line_end", "Line end"),
    illegal = ProtoField.bytes("wwep.illegal", "Illegal bytes", base.SPACE),
    ignored = ProtoField.bytes("wwep.ignored", "Ignored bytes", base.SPACE),
    reply_in = ProtoField.framenum("wwep.reply_in", "Reply in", base.NONE, frametype.RESPONSE),
    reply_to = ProtoField.framenum("wwep.reply_to", "Request in", base.NONE, frametype.REQUEST),
    time = ProtoField.relative_time("wwep.time", "Time from request to reply"),
}
wwep.fields = f

local e = {
    illegal_frame = ProtoExpert.new(
        "wwep.expert.illegal_frame", "Illegal frame", expert.group.MALFORMED, expert.severity.ERROR),
    illegal_reply = ProtoExpert.new(
        "wwep.expert.illegal_reply", "Illegal reply", expert.group.MALFORMED, expert.severity.ERROR),
    unfinished = ProtoExpert.new(
        "wwep.expert.unfinished", "Unfinished frame", expert.group.MALFORMED, expert.severity.WARN),
    mismatch = ProtoExpert.new(
        "wwep.expert.mismatch", "Reply to something else", expert.group.PROTOCOL,
        expert.severity.WARN),
    unasked = ProtoExpert.new(
        "wwep.expert.unasked", "Reply without a request", expert.group.SEQUENCE,
        expert.severity.WARN),
    failed = ProtoExpert.new(
        "wwep.expert.failed", "Failed", expert.group.RESPONSE_CODE, expert.severity.NOTE),
    ignored = ProtoExpert.new(
        "wwep.expert.ignored", "Ignored bytes", expert.group.PROTOCOL, expert.severity.NOTE),
}
wwep.experts = {
    e.illegal_frame, e.illegal_reply, e.unfinished, e.mismatch, e.unasked, e.failed, e.ignored,
}

local tcp_stream = Field.new("tcp.stream")
local packet_time = Field.new("frame.time_epoch")
local names = { R = "Read", W = "Write", A = "Accepted", X = "Failed" }
local sizes = { R = 7, W = 11, A = 11, X = 1 }
local parts = { device = { 1, 4 }, register = { 5, 2 }, value = { 7, 4 } }

-- What the first pass over the capture found out: streams by number, messages by packet and place.
local streams, messages = {}, {}

function wwep.init()
    streams, messages = {}, {}
end

local function has_port(range, port)
    for piece in tostring(range):gmatch("[^,%s]+") do
        local low, high = piece:match("^(%d+)-?(%d*)$")
        if low and port >= tonumber(low) and port <= tonumber(high ~= "" and high or low) then
            return true
        end
    end
    return false
end

local function is_server_port(port)
    return has_port(wwep.prefs.plain_ports, port) or has_port(wwep.prefs.secure_ports, port)
end

-- The stream of this packet; who is its server is settled by the port, else by who sends a frame.
local function stream_of(pinfo, letter)
    local number = tcp_stream().value
    local stream = streams[number]
    if not stream then
        local server_port
        if is_server_port(pinfo.dst_port) then
            server_port = pinfo.dst_port
        elseif is_server_port(pinfo.src_port) then
            server_port = pinfo.src_port
        elseif letter == "A" or letter == "X" then
            server_port = pinfo.src_port
        else
            server_port = pinfo.dst_port
        end
        stream = { server_port = server_port, waiting = {} }
        streams[number] = stream
    end
    return stream
end

-- The messages of a packet are numbered: over TLS it may hold several, each with bytes of its own.
local function next_key(pinfo)
    local count = tonumber(pinfo.private["wwep_messages"] or "0") + 1
    pinfo.private["wwep_messages"] = tostring(count)
    return pinfo.number .. ":" .. count
end

-- How many of the bytes from `at` on are a legal start, and how many a whole message has.
local function measure(text, at, letters)
    local letter = text:sub(at, at)
    if not letters:find(letter, 1, true) then
        return 0, 1
    end
    local size = sizes[letter]
    local digits = text:sub(at + 1, at + size - 1):match("^%x*")
    return 1 + #digits, size
end

local function spell(text)
    return (text:gsub("[^\32-\126]", function(c) return string.format("\\x%02x", c:byte()) end))
end

local function to_number(text, part)
    return tonumber(text:sub(part[1] + 1, part[1] + part[2]), 16)
end

-- First pass: notes a frame, or matches a reply with the frame that it answers.
local function note(stream, kind, text, pinfo)
    local message = { kind = kind, text = text, number = pinfo.number, at = packet_time().value }
    if kind == "frame" or kind == "illegal frame" then
        table.insert(stream.waiting, message)
        stream.unfinished = nil
    elseif kind == "reply" then
        local asked = table.remove(stream.waiting, 1)
        if not asked and stream.unfinished then
            asked, stream.unfinished = stream.unfinished, nil
        end
        if asked then
            message.asked, asked.answered = asked, message
        end
    end
    return message
end

local function add_links(tree, message)
    if message.answered then
        tree:add(f.reply_in, message.answered.number):set_generated()
    end
    local asked = message.asked
    if asked then
        tree:add(f.reply_to, asked.number):set_generated()
        tree:add(f.time, message.at - asked.at):set_generated()
    end
end

-- A reply echoes device and register, and of a write the value. Digits are compared in any case.
local function is_reply_to(reply, asked)
    if asked.kind ~= "frame" then
        return false
    end
    local said, wanted = reply:sub(2):upper(), asked.text:sub(2):upper()
    return said:sub(1, #wanted) == wanted
end

local function add_fields(tree, range, text, is_request)
    local letter = text:sub(1, 1)
    tree:add(f.command, range(0, 1), letter):append_text(" (" .. names[letter] .. ")")
    tree:add(f.is_request, is_request):set_generated()
    if #text >= 7 then
        tree:add(f.device, range(1, 4), to_number(text, parts.device))
        tree:add(f.register, range(5, 2), to_number(text, parts.register))
    end
    if #text == 11 then
        tree:add(f.value, range(7, 4), to_number(text, parts.value))
    end
end

local function describe(text)
    local words = names[text:sub(1, 1)]
    if #text >= 7 then
        words = words .. string.format(" device %s register %s", text:sub(2, 5), text:sub(6, 7))
    end
    if #text == 11 then
        words = words .. " value " .. text:sub(8, 11)
    end
    return words
end

local function show_reply(tree, message)
    local asked = message.asked
    if not asked then
        tree:add_proto_expert_info(e.unasked)
    elseif asked.kind == "unfinished" then
        tree:add_proto_expert_info(e.unfinished, "answers an unfinished frame: " .. spell(asked.text))
    elseif message.text:sub(1, 1) == "A" and not is_reply_to(message.text, asked) then
        tree:add_proto_expert_info(e.mismatch, "does not echo " .. spell(asked.text))
    end
    if message.text == "X" then
        tree:add_proto_expert_info(e.failed)
    end
end

local function illegal_words(text, legal, what)
    local byte = text:byte(legal + 1)
    if legal == 0 then
        return string.format("illegal byte 0x%02x where a %s starts", byte, what)
    end
    local where = legal < 5 and "device" or legal < 7 and "register" or "value"
    return string.format("illegal byte 0x%02x among the digits of the %s", byte, where)
end

-- Shows one message that is whole, and says what the info column has to say.
local function show(message, range, tree)
    local text, kind = message.text, message.kind
    local item = tree:add(wwep, range)
    if kind == "line end" then
        item:add(f.line_end, range)
        return "line end"
    elseif kind == "ignored" then
        item:add(f.ignored, range)
        item:add_proto_expert_info(e.ignored)
        return "ignored: " .. spell(text)
    elseif kind == "illegal frame" or kind == "illegal reply" then
        local what = kind == "illegal frame" and "frame" or "reply"
        local words = illegal_words(text, message.legal, what)
        item:add(f.illegal, range)
        item:add_proto_expert_info(what == "frame" and e.illegal_frame or e.illegal_reply, words)
        add_links(item, message)
        return "Illegal " .. what .. ": " .. words
    end
    add_fields(item, range, text, kind == "frame")
    if kind == "reply" then
        show_reply(item, message)
    end
    add_links(item, message)
    item:append_text(", " .. describe(text))
    return describe(text)
end

-- What the bytes from `at` on are: kind, how many they are, and how many of them are legal. Nothing,
-- and how many more are needed, when they are not whole.
local function classify(stream, text, at, is_request)
    local rest = #text - at + 1
    if is_request then
        if stream.is_spoiled then
            return "ignored", rest
        end
        local ending = stream.takes_line_end and text:match("^\r?\n", at) or nil
        ending = ending or stream.takes_line_end and text:match("^\r", at) or nil
        ending = ending or stream.ended_by_cr and text:match("^\n", at) or nil
        if ending then
            return "line end", #ending
        end
    end
    local legal, size = measure(text, at, is_request and "RW" or "AX")
    local what = is_request and "frame" or "reply"
    if legal >= size then
        return what, size, size
    elseif legal < rest and stream.has_failed and not is_request then
        return "ignored", rest  -- some servers put text after X
    elseif legal < rest then
        return "illegal " .. what, rest, legal
    end
    return nil, size - rest
end

local function advance(stream, kind, text, is_request)
    if is_request then
        stream.takes_line_end = kind == "frame"
        stream.ended_by_cr = kind == "line end" and text == "\r"
        stream.is_spoiled = stream.is_spoiled or kind == "illegal frame"
    else
        stream.has_failed = kind == "reply" and text == "X" or kind == "ignored"
    end
end

function wwep.dissector(tvb, pinfo, tree)
    local text = tvb:raw()
    local stream = stream_of(pinfo, text:sub(1, 1))
    local is_request = pinfo.dst_port == stream.server_port
    pinfo.cols.protocol = wwep.name
    local words = {}
    local at = 1
    while at <= #text do
        local key = next_key(pinfo)
        local message = messages[key]
        if not message then
            local kind, size, legal = classify(stream, text, at, is_request)
            if not kind then
                if is_request then
                    stream.unfinished = {
                        kind = "unfinished", text = text:sub(at), number = pinfo.number,
                        at = packet_time().value,
                    }
                end
                pinfo.desegment_offset = at - 1
                pinfo.desegment_len = size
                break
            end
            local own = text:sub(at, at + size - 1)
            message = note(stream, kind, own, pinfo)
            message.legal = legal
            advance(stream, kind, own, is_request)
            messages[key] = message
        end
        words[#words + 1] = show(message, tvb(at - 1, #message.text), tree)
        at = at + #message.text
    end
    if #words > 0 then
        pinfo.cols.info = table.concat(words, ", ")
    end
    return tvb:len()
end

-- TLS, or what a rebuilt capture has in its place.
function secure.dissector(tvb, pinfo, tree)
    local first = tvb:raw(0, math.min(3, tvb:len()))
    if first:match("^[\20-\24]\3[\0-\4]") or first:match("^[\20-\24]\3?$") then
        return Dissector.get("tls"):call(tvb, pinfo, tree)
    end
    return wwep.dissector(tvb, pinfo, tree)
end

local function looks_like_wwep(text)
    local message = text:match("^([RWA]%x+)\r?\n?$")
    return message and #message == sizes[message:sub(1, 1)]
end

local function guess_in_the_clear(tvb, pinfo, tree)
    if not looks_like_wwep(tvb:raw()) then
        return false
    end
    pinfo.conversation = wwep
    wwep.dissector(tvb, pinfo, tree)
    return true
end

-- The conversation stays TLS's: what is known of the stream says that it is WWEP.
local function guess_over_tls(tvb, pinfo, tree)
    if not (streams[tcp_stream().value] or looks_like_wwep(tvb:raw())) then
        return false
    end
    wwep.dissector(tvb, pinfo, tree)
    return true
end

local tcp_ports, tls_ports = DissectorTable.get("tcp.port"), DissectorTable.get("tls.port")
local plain_now, secure_now

local function take_ports()
    plain_now, secure_now = tostring(wwep.prefs.plain_ports), tostring(wwep.prefs.secure_ports)
    tcp_ports:add(plain_now, wwep)
    tcp_ports:add(secure_now, secure)
    tls_ports:add(secure_now, wwep)
end

function wwep.prefs_changed()
    tcp_ports:remove(plain_now, wwep)
    tcp_ports:remove(secure_now, secure)
    tls_ports:remove(secure_now, wwep)
    take_ports()
end

take_ports()
wwep:register_heuristic("tcp", guess_in_the_clear)
wwep:register_heuristic("tls", guess_over_tls)
