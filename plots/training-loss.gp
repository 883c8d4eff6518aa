# The loss of a training over its steps, with the entropy of its source as the floor where it is known.
# data: block 0: step, training loss; block 1: step, validation loss.  checks: rows of block 1
# floor_loss: nats a token, 0 where unknown
eval frame
set xrange [x_low:x_high]
eval 'set xtics '.x_ticks
set yrange [y_low:y_high]
eval 'set ytics '.y_ticks
plot data index 0 using 1:2 with lines lt 1 lw 1.2, \
  (checks > 0 ? data : '/dev/null') index (checks > 0 ? 1 : 0) using 1:2 with linespoints lt 2, \
  (floor_loss > 0 ? floor_loss : NaN) with lines lc rgb red dt 2
