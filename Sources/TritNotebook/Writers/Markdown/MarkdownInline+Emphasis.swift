/// Emphasis: the spec's algorithm, which looks at each run of `*` or `_` a bounded number of times.
extension MarkdownInline {
  mutating func run(_ mark: UInt8) {
    let count = text[position...].prefix { $0 == mark }.count
    let before = MarkdownText.scalar(before: position, of: text)
    let after = MarkdownText.scalar(at: position + count, of: text)
    let (blankBefore, blankAfter) = (MarkdownText.isBlank(before), MarkdownText.isBlank(after))
    let (signBefore, signAfter) = (MarkdownText.isSign(before), MarkdownText.isSign(after))
    let isLeft = !blankAfter && (!signAfter || blankBefore || signBefore)
    let isRight = !blankBefore && (!signBefore || blankAfter || signAfter)
    let isStar = mark == UInt8(ascii: "*")
    flush()
    pieces.append(.run(mark, count: count, closes: [], opens: []))
    delimiters.append(
      Delimiter(
        piece: pieces.count - 1, mark: mark, count: count, length: count,
        canOpen: isStar ? isLeft : isLeft && (!isRight || signBefore),
        canClose: isStar ? isRight : isRight && (!isLeft || signAfter),
        previous: delimiters.count - 1, next: delimiters.count + 1))
    position += count
  }

  /// Makes emphasis of the runs from `bottom` on, and forgets them.
  mutating func emphasize(from bottom: Int) {
    // For each kind of closing run, below which no opening one is.
    var floors = [Int](repeating: bottom - 1, count: 12)
    var closer = bottom
    while closer < delimiters.count {
      let closing = delimiters[closer]
      guard closing.canClose else {
        closer = closing.next
        continue
      }
      let kind =
        (closing.mark == UInt8(ascii: "*") ? 6 : 0) + (closing.canOpen ? 3 : 0)
        + closing.length % 3
      var opener = closing.previous
      var isFound = false
      while opener > floors[kind], opener >= bottom {
        let opening = delimiters[opener]
        let isOdd =
          (closing.canOpen || opening.canClose) && closing.length % 3 != 0
          && (opening.length + closing.length) % 3 == 0
        if opening.mark == closing.mark, opening.canOpen, !isOdd {
          isFound = true
          break
        }
        opener = opening.previous
      }
      guard isFound else {
        floors[kind] = closing.previous
        if !closing.canOpen { unlink(closer) }
        closer = closing.next
        continue
      }
      let isStrong = delimiters[opener].count >= 2 && delimiters[closer].count >= 2
      use(opener, opens: isStrong ? "<strong>" : "<em>", count: isStrong ? 2 : 1)
      use(closer, closes: isStrong ? "</strong>" : "</em>", count: isStrong ? 2 : 1)
      // Runs between them can no longer be emphasis.
      delimiters[opener].next = closer
      delimiters[closer].previous = opener
      if delimiters[opener].count == 0 { unlink(opener) }
      if delimiters[closer].count == 0 {
        let next = delimiters[closer].next
        unlink(closer)
        closer = next
      }
    }
    delimiters.removeSubrange(min(bottom, delimiters.count)...)
    if bottom > 0 { delimiters[bottom - 1].next = bottom }
  }

  private mutating func use(
    _ index: Int, opens: String? = nil, closes: String? = nil, count: Int
  ) {
    delimiters[index].count -= count
    guard
      case .run(let mark, let left, var closed, var opened) = pieces[delimiters[index].piece]
    else { return }
    pieces[delimiters[index].piece] = .text([])
    if let closes { closed += closes.utf8 }
    if let opens { opened.append(Array(opens.utf8)) }
    pieces[delimiters[index].piece] = .run(
      mark, count: left - count, closes: closed, opens: opened)
  }

  private mutating func unlink(_ index: Int) {
    let (previous, next) = (delimiters[index].previous, delimiters[index].next)
    if previous >= 0 { delimiters[previous].next = next }
    if next < delimiters.count { delimiters[next].previous = previous }
  }
}
