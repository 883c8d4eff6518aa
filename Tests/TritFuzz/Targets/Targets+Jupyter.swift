import TritJupyter
import TritLab

extension FuzzTarget {
  /// What whoever reaches the ports of a kernel can send.
  static let jupyter = [
    FuzzTarget(
      name: "zmtp", summary: "ZMTP: what a peer sends means the same however it is cut",
      grammar: .pack([.bytes, .bytes, .bytes]), minimumAccepted: 0.1,
      sources: ["TritJupyter/ZMTP/ZMTPDecoder", "TritJupyter/ZMTP/ZMTPFrame"],
      seeds: {
        let ready = ZMTPFrame.ready([("Socket-Type", "DEALER"), ("Identity", "me")])
        let messages =
          ZMTPFrame.message([Array("me".utf8), [], [UInt8](repeating: 7, count: 300)])
          + ZMTPFrame.command("PING", [0, 10, 1]) + ZMTPFrame.message([[1]])
        return [
          Pack.join([ZMTPFrame.greeting, ready, messages]),
          Pack.join([ZMTPFrame.greeting, ready, []]),
        ]
      }
    ) { _ in
      { bytes in
        let input = Pack.split(bytes, 3).flatMap { $0 }
        let limits = ZMTPLimits(message: 1 << 16, parts: 16)
        var whole = ZMTPDecoder(.router, limits: limits)
        let first = Result { () throws(ZMTPViolation) in try whole.take(input) }
        var cut = ZMTPDecoder(.router, limits: limits)
        var events: [ZMTPDecoder.Event] = []
        var violation: ZMTPViolation?
        var step = 1
        var rest = input[...]
        while !rest.isEmpty, violation == nil {
          do throws(ZMTPViolation) {
            events += try cut.take(rest.prefix(step))
          } catch {
            violation = error
          }
          rest = rest.dropFirst(step)
          step = step % 7 + 1
          try demand(
            cut.heldBytes <= limits.message + 64 * limits.parts + limits.command + 64,
            "no more is kept than a message may have")
        }
        switch first {
        case .success(let all):
          try demand(violation == nil && events == all, "cuts change what is read")
          guard whole.isOpen else { throw LabError(.badData, "no handshake") }
        case .failure(let error):
          // The second complaint may come earlier, with less of the greeting at hand.
          try demand(violation != nil, "cuts let a violation pass: \(error.what)")
          throw LabError(.badData, error.what)
        }
      }
    },
    FuzzTarget(
      name: "jupyter-message",
      summary: "messages of Jupyter: read, split into cells, written again",
      grammar: .pack([.json, .json, .json, .json, .bytes]), minimumAccepted: 0.2,
      sources: ["TritJupyter/Messages", "TritJupyter/Kernel/CellMagic"],
      seeds: {
        let header =
          #"{"msg_id":"a","session":"s","username":"u","date":"d","msg_type":"execute_request","version":"5.3"}"#
        let content =
          #"{"code":"%%c\nint x;\n","silent":false,"store_history":true,"user_expressions":{},"stop_on_error":true}"#
        return [
          Pack.join([header, "{}", #"{"cellId":"c-1"}"#, content, "me"].map { Array($0.utf8) })
        ]
      }
    ) { _ in
      { bytes in
        let pieces = Pack.split(bytes, 5)
        let signature = MessageSignature(key: Array("key".utf8))
        let blobs = Array(pieces[..<4])
        let mark = Array("<IDS|MSG>".utf8)
        let parts = [pieces[4], mark, signature.signature(of: blobs)] + blobs
        guard let message = JupyterMessage(parts: parts, signature: signature) else {
          throw LabError(.badData, "no message")
        }
        if pieces[4] != mark {
          try demand(message.identities == [pieces[4]], "answers go back where requests come from")
        }
        if let code = message.content["code"]?.string {
          let cell = try CellMagic(code)
          try demand(
            code.unicodeScalars.count == cell.offset + cell.text.unicodeScalars.count,
            "a cell is its first line and the rest")
        }
        // What is answered can be read again, and is signed.
        let answer = MessageWriter(signature: signature)
          .parts(message.type, message.content, parent: message.header)
        let again = JupyterMessage(parts: answer, signature: signature)
        try demand(
          again?.content == message.content, "a message that is written is read as the same")
      }
    },
  ]
}
