extension String {
  /// The text as a file name: lower-case letters and digits of any script, single dashes; at most
  /// 120 bytes, so that what is put behind it fits too. Empty where the text has no letter and no
  /// digit.
  package var slug: String {
    var result = ""
    for character in lowercased() {
      if character.isLetter || character.isNumber {
        guard result.utf8.count + character.utf8.count <= 120 else { break }
        result.append(character)
      } else if !result.isEmpty, result.last != "-" {
        result.append("-")
      }
    }
    while result.last == "-" { result.removeLast() }
    return result
  }
}
