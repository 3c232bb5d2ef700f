"""launch.train from the command line."""
import time
def test_it(call, all_folds, leaking):
    w, d = all_folds
    print(d.out, d.err)
    t=time.time()
    e = call('evaluate', f'--checkpoint={w}')
    print(time.time()-t)
    print(e.code, e.out, e.err)
    e = call('evaluate', f'--checkpoint={leaking}')
    print(time.time()-t)
    print(e.code, e.out, e.err)
    assert 0
