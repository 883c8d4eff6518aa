/// What the cells of a notebook gave, as it stands when all are done: values that were replaced are
/// the last ones, in the place of the first, also where a later cell replaced them; texts of one
/// stream that follow each other are one.
struct SettledOutputs {
  private var cells: [[CellOutput]] = []
  private var index = 0
  private var places: [String: [(cell: Int, output: Int)]] = [:]

  init(of notebook: ExecutedNotebook) {
    for case .cell(let cell) in notebook.pieces { add(cell.outputs) }
  }

  /// What the next cell gave.
  mutating func next() -> [CellOutput] {
    defer { index += 1 }
    return cells[index]
  }

  private mutating func add(_ given: [CellOutput]) {
    let cell = cells.count
    var outputs: [CellOutput] = []
    var text = ""
    var stream: CellStream?
    func flush() {
      if let name = stream, !text.isEmpty { outputs.append(.stream(name, text)) }
      text = ""
      stream = nil
    }
    for output in given {
      switch output {
      case .stream(let name, let piece):
        if stream != name { flush() }
        stream = name
        text += piece
        continue
      case .update(let data, let id):
        for place in places[id] ?? [] {
          let display = CellOutput.display(data, id: id)
          if place.cell == cell {
            outputs[place.output] = display
          } else {
            cells[place.cell][place.output] = display
          }
        }
        if places[id] != nil { continue }
        flush()
        places[id] = [(cell, outputs.count)]
        outputs.append(.display(data, id: id))
      case .display(_, let id):
        flush()
        if let id { places[id, default: []].append((cell, outputs.count)) }
        outputs.append(output)
      case .result, .failure:
        flush()
        outputs.append(output)
      }
    }
    flush()
    cells.append(outputs)
  }
}
