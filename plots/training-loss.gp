# The loss of a training over its steps, with the entropy of its source as the floor where it is known.
# data: block 0: step, training loss; block 1: step, validation loss.  checks: rows of block 1
# floor_loss: nats a token, 0 where unknown
set xlabel 'Step'
set ylabel 'Cross-entropy (nats a token)'
set key top right
set yrange [0:*]
plot data index 0 using 1:2 with lines lt 1 lw 1.2 title 'training', \
  (checks > 0 ? data : '/dev/null') index (checks > 0 ? 1 : 0) using 1:2 with linespoints lt 2 title 'validation', \
  (floor_loss > 0 ? floor_loss : NaN) with lines lt 4 dt 2 title (floor_loss > 0 ? sprintf('entropy of the source, %.3f', floor_loss) : '')
