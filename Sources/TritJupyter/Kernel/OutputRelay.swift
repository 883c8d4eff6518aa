import Dispatch
import TritDrawing
import TritFormats
import TritNotebook

/// Turns what a cell gives into messages: few of them, in order, and not without end.
///
/// What is printed is collected for a moment, so that 20,000 lines are some messages; of the
/// updates of one value in that moment the last one counts. Everything else goes at once, after
/// what was collected.
final class OutputRelay: @unchecked Sendable {
  /// Where a cell's output ends.
  struct Limits: Sendable {
    /// Bytes of text that are passed on.
    var printed = 4 << 20
    /// Bytes of values that are passed on.
    var shown = 64 << 20
    /// Bytes of text in one message.
    var message = 1 << 18
    /// Milliseconds that text is collected.
    var delay = 50
  }

  private enum Piece {
    case text(CellStream, String)
    case update(id: String, JSONValue)
  }

  private let limits: Limits
  private let number: Int
  private let publish: @Sendable (String, JSONValue) -> Void
  /// One after the other: the cell's thread, and the clock's.
  private let queue = DispatchQueue(label: "tritlab.jupyter.output")
  private var pieces: [Piece] = []
  private var pendingBytes = 0
  private var isScheduled = false
  private var printedBytes = 0
  private var shownBytes = 0
  private var resultText: String?

  /// Passes what the cell with this number gives on to `publish`: type and content of messages.
  init(
    number: Int, limits: Limits = Limits(), publish: @escaping @Sendable (String, JSONValue) -> Void
  ) {
    self.number = number
    self.limits = limits
    self.publish = publish
  }

  /// Takes the next output.
  func take(_ output: CellOutput) {
    queue.sync {
      switch output {
      case .stream(let stream, let text): take(stream, text)
      case .update(let data, let id):
        let content = display(data, id: id)
        let index = pieces.firstIndex {
          if case .update(id, _) = $0 { true } else { false }
        }
        if let index { pieces.remove(at: index) }
        pieces.append(.update(id: id, content))
        schedule()
      case .display(let data, let id):
        flush()
        publish("display_data", display(data, id: id))
      case .result(let data):
        flush()
        resultText = data.plain
        publish(
          "execute_result",
          ["execution_count": JSONValue(number), "data": bundle(data), "metadata": [:]])
      case .failure(let failure):
        flush()
        publish("error", Self.error(failure))
      }
    }
  }

  /// Passes on what waits. Gives the text of the cell's result.
  func finish() -> String? {
    queue.sync {
      flush()
      return resultText
    }
  }

  /// The content of an `error` message, and part of an answer.
  static func error(_ failure: CellFailure) -> JSONValue {
    var lines = failure.message.split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
    if let place = failure.place, !failure.message.contains(place) { lines.append("at \(place)") }
    lines[0] = "\(failure.name): \(lines[0])"
    return [
      "ename": .string(failure.name), "evalue": .string(failure.message),
      "traceback": JSONValue(lines),
    ]
  }

  // MARK: On the queue

  private func take(_ stream: CellStream, _ text: String) {
    guard !text.isEmpty, printedBytes <= limits.printed else { return }
    printedBytes += text.utf8.count
    guard printedBytes <= limits.printed else {
      let room = text.utf8.count - (printedBytes - limits.printed)
      append(stream, String(decoding: text.utf8.prefix(room), as: UTF8.self))
      append(.stderr, "\n… what this cell prints beyond \(limits.printed >> 10) KiB is left out\n")
      return
    }
    append(stream, text)
  }

  private func append(_ stream: CellStream, _ text: String) {
    if case .text(stream, let before) = pieces.last {
      pieces[pieces.count - 1] = .text(stream, before + text)
    } else {
      pieces.append(.text(stream, text))
    }
    pendingBytes += text.utf8.count
    if pendingBytes >= limits.message { flush() } else { schedule() }
  }

  private func schedule() {
    guard !isScheduled else { return }
    isScheduled = true
    queue.asyncAfter(deadline: .now() + .milliseconds(limits.delay)) { [self] in
      isScheduled = false
      flush()
    }
  }

  private func flush() {
    for piece in pieces {
      switch piece {
      case .text(let stream, let text):
        publish("stream", ["name": .string(stream.rawValue), "text": .string(text)])
      case .update(_, let content): publish("update_display_data", content)
      }
    }
    pieces = []
    pendingBytes = 0
  }

  private func display(_ data: DisplayData, id: String?) -> JSONValue {
    let transient: JSONValue = id.map { ["display_id": .string($0)] } ?? [:]
    return ["data": bundle(data), "metadata": [:], "transient": transient]
  }

  /// A bundle by media type; what goes beyond the limit is a word.
  private func bundle(_ data: DisplayData) -> JSONValue {
    shownBytes += data.types.values.reduce(0) { $0 + $1.utf8.count }
    guard shownBytes <= limits.shown else {
      let words = "not shown: the values of this cell take more than \(limits.shown >> 20) MiB"
      return [MediaType.plain.rawValue: .string(words)]
    }
    return .object(
      data.types.sorted { $0.key < $1.key }.map { type, text in
        // JSON goes as a document where it is one.
        let isJSON = type == MediaType.json.rawValue || type.hasSuffix("+json")
        let document = isJSON ? try? JSONReader.read(text, path: type) : nil
        return (key: type, value: document ?? .string(text))
      })
  }
}
