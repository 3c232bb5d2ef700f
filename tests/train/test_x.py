def test_a(unbroken, head_run):
    print(unbroken.history, unbroken.best_step, head_run.history, head_run.best_step)
    import os
    os.system(f'ls -R {unbroken.workdir} | head -60; ls {head_run.workdir}/*')
