import Testing
import TritCore

/// Times that are made up: the race is a function of them.
@Suite struct RaceTests {
  @Test func anEarlierContestantStaysUnlessALaterOneIsClearlyFaster() {
    #expect(Race.winner([]) == nil)
    #expect(Race.winner([10]) == 0)
    #expect(Race.winner([10, 9.5, 9.4]) == 0)
    #expect(Race.winner([10, 9.2]) == 1)
    // Each is held against the best before it, not against the first.
    #expect(Race.winner([10, 9.2, 8.7]) == 1)
    #expect(Race.winner([10, 9.2, 8.5]) == 2)
    #expect(Race.winner([.infinity, 5]) == 1)
  }

  @Test func theShortestTimeCountsAndTheHopelessStop() {
    var calls = [0, 0, 0]
    let scripts: [[Double]] = [[5, 4, 6, 7], [9, 9, 1, 1], [5, 5, 5, 3]]
    let times = Race().times(3) { index in
      defer { calls[index] += 1 }
      let script = scripts[index]
      return [script[min(calls[index], script.count - 1)]]
    }
    // The second is more than half as slow again after two rounds: what it would have done later is
    // not asked.
    #expect(calls == [10, 2, 10])
    #expect(times == [[4], [9], [3]])
  }

  @Test func severalTimesAreOneScore() {
    let times = Race().times(2, score: { $0[0] * $0[1] }, time: { $0 == 0 ? [2, 8] : [4, 3] })
    #expect(times == [[2, 8], [4, 3]])
  }
}
