import Testing
import TritLab

@Suite struct DisplayDataTests {
  @Test func everyValueHasAPlainText() {
    let data = DisplayData(plain: "1 0 -1", [.svg: "<svg></svg>"])
    #expect(data.plain == "1 0 -1")
    #expect(data[.svg] == "<svg></svg>")
    #expect(data[.html] == nil)
  }
}
