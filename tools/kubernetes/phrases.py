"""How people ask what is wrong with pods and workloads."""

from tools.contract import examples

KUBERNETES = examples(
    en="""
    what's wrong with the {service} pods?
    why does the {service} pod keep restarting
    show me the pods of {service} in {environment}
    is {service} in CrashLoopBackOff?
    which pods are not ready in {environment}
    were any {service} containers OOMKilled
    kubernetes events of {service} over the past hour
    is the rollout of {service} stuck in {environment}?
    how much memory do the {service} pods use compared with their limits
    list the workloads in {environment}
    which containers cannot pull their image
    describe the {service} deployment object in kubernetes
    is any pod pending or evicted?
    how many times did the {service} pods restart
    cpu requests and limits of the {service} pods
    what does kubernetes say about {service}
    """,
    fr="""
    pourquoi le pod {service} redémarre ?
    qu'est-ce qui ne va pas avec les pods de {service} ?
    montre les pods de {service} en {environment}
    quels pods ne sont pas prêts en {environment} ?
    est-ce que {service} est en CrashLoopBackOff ?
    les événements kubernetes de {service} depuis une heure
    le rollout de {service} est-il bloqué ?
    combien de mémoire utilisent les pods de {service} par rapport à leurs limites
    des conteneurs de {service} ont-ils été tués par manque de mémoire (OOMKilled) ?
    combien de fois les pods de {service} ont-ils redémarré
    que dit kubernetes sur {service} en {environment}
    """,
)
