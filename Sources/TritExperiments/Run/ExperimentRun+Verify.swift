internal import TritCore

extension ExperimentRun {
  /// A record of a variant whose files are still those that its digest is of. Else it is a failed
  /// one without figures: what was measured may belong to no model at all, and must not be taken
  /// over later.
  func verified(_ record: RunRecord) -> RunRecord {
    do {
      for path in try backend.checkUnchanged() {
        observer(
          .note(
            "\(path) was replaced during the run: figures are of the file that was opened at its start"
          ))
      }
      return record
    } catch let error as LabError where error.kind == .interrupted {
      var record = record
      record.status = .interrupted
      return record
    } catch {
      var record = record
      record.status = .failed
      record.error = "\(error)"
      record.metrics = [:]
      record.facts = [:]
      record.series = [:]
      record.texts = []
      return record
    }
  }
}
